/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to this folder: the address that the template makes of a sighting. (address_plain and
 * address_in_domains are public: people/verdict.h.)
 */
#ifndef CLOUDINVITE_PEOPLE_ADDRESS_H
#define CLOUDINVITE_PEOPLE_ADDRESS_H

#include "people/verdict.h"

/* The user in lower case; for network users without the realm. False if it did not fit. */
bool address_user(const struct sighting *s, char *out, size_t size);
/* False with the reason if the address would only be a guess. */
bool address_from_template(const struct sighting *s, const char *template,
	char out[ADDRESS_MAX + 1], const char **why);

#endif
