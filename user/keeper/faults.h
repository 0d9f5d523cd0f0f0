/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deaths that tests ask for, in a build of its own (-DTAMIS_FAULTS): the program's path with ".fault" has
 * the name of a place to be killed at, and goes with it. The product has none of this.
 */
#pragma once

#ifdef TAMIS_FAULTS
void fault_at(const char *place);
#else
static inline void fault_at(const char *place)
{
	(void)place;
}
#endif
