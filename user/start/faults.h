/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults that tests ask for, in a build of its own (-DTAMIS_FAULTS): the program's path with ".fault"
 * has the name of one. The product has none of this.
 */
#pragma once

#ifdef TAMIS_FAULTS
void fault_at_work(void); /* in the worker, before it works */
void fault_at_home(void); /* in its parent, before it asks */
#else
static inline void fault_at_work(void)
{
}
static inline void fault_at_home(void)
{
}
#endif
