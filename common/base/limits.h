/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lengths that several layers share, in bytes, without the NUL.
 */
#ifndef CLOUDINVITE_BASE_LIMITS_H
#define CLOUDINVITE_BASE_LIMITS_H

#define HOST_MAX    255
#define USER_MAX    256
#define ADDRESS_MAX 254 /* RFC 5321: the longest path, without the angle brackets */

#endif
