// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The version of the library.
 */
#include "internal.h"

#define STRING_OF(number)	#number
#define STRING(number)		STRING_OF(number)

DMACPY_API const char *dmacpy_version(void)
{
	return STRING(DMACPY_VERSION_MAJOR) "." STRING(DMACPY_VERSION_MINOR)
	       "." STRING(DMACPY_VERSION_PATCH);
}
