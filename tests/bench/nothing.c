/* SPDX-License-Identifier: Apache-2.0 */
/* What is started where starting is measured. */
int main(void)
{
	return 0;
}
