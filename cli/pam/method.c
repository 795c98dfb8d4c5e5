/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chooses how this distribution's PAM files are changed. The first method that applies is used.
 */
#include "cli/pam/method.h"

#include "base/array.h"

const struct pam_method *pam_method(void)
{
	static const struct pam_method *const methods[] = {
		&pam_method_debian, &pam_method_authselect, &pam_method_postlogin};

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		if (methods[i]->applies())
			return methods[i];
	return &pam_method_services;
}
