/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The validators: what the text of each key must look like. A validator sees one value only;
 * check.c checks two keys against each other.
 */
#include "base/str.h"
#include "settings/key.h"

#include <string.h>

#include "base/array.h"
#include "settings/timezone.h"
#include "settings/window.h"

#define LETTERS	 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS	 "0123456789"
#define URL_PATH LETTERS DIGITS "-._~/%:@!$&'()*+,;="

static bool only(const char *s, size_t n, const char *allowed)
{
	return strspn(s, allowed) >= n;
}

const char *validate_customer(char *value, const char **remedy)
{
	size_t n = strlen(value);

	*remedy = "Write the ID from the Admin console (Account, Account settings, Customer ID), "
		  "which begins with C, or my_customer.";
	if (n == 0 || strcmp(value, "my_customer") == 0)
		return NULL;
	if (n < 2 || n > 32 || value[0] != 'C' || !only(value, n, LETTERS DIGITS))
		return "is not a customer ID";
	return NULL;
}

/* A host name of at least two labels. */
static bool host_name(const char *s, size_t n)
{
	size_t label = 0, dots = 0;

	if (n == 0 || n > 253 || !only(s, n, LETTERS DIGITS "-."))
		return false;
	for (size_t i = 0; i <= n; i++) {
		bool end = i == n || s[i] == '.';

		if (!end) {
			label++;
			continue;
		}
		if (label == 0 || label > 63 || s[i - label] == '-' || s[i - 1] == '-')
			return false;
		dots += i < n;
		label = 0;
	}
	return dots > 0;
}

const char *validate_address(char *value, const char **remedy)
{
	const char *at = strchr(value, '@');

	*remedy = "Write the mail address of one administrator, such as admin@example.com.";
	if (value[0] == '\0')
		return NULL;
	if (!at || at == value || !host_name(at + 1, strlen(at + 1)) ||
		!only(value, (size_t)(at - value), LETTERS DIGITS ".!#$%&'*+-/=?^_`{|}~"))
		return "is not an address";
	str_lower(value);
	return NULL;
}

const char *validate_api_version(char *value, const char **remedy)
{
	*remedy = "Write v1 or v1beta1.";
	if (strcmp(value, "v1") != 0 && strcmp(value, "v1beta1") != 0)
		return "is not a supported version";
	return NULL;
}

/* The length of "host", "host:port" or "[v6]:port" at the beginning of `s`; 0 if there is none. */
static size_t host_and_port(const char *s)
{
	size_t n = *s == '[' ? strspn(s + 1, DIGITS "abcdefABCDEF:.") + 1
			     : strspn(s, LETTERS DIGITS "-.");
	char port[8];
	long long number;

	if (*s == '[' && s[n++] != ']')
		return 0;
	if (n == 0 || *s == '-' || *s == '.')
		return 0;
	if (s[n] != ':')
		return n;
	size_t digits = strspn(s + n + 1, DIGITS);
	if (digits >= sizeof(port))
		return 0;
	str_format(port, sizeof(port), "%.*s", (int)digits, s + n + 1);
	return str_number(port, 1, 65535, &number) ? n + 1 + digits : 0;
}

const char *validate_https(char *value, const char **remedy)
{
	*remedy = "Write https://, a host and a path, without a user name or password. TLS cannot "
		  "be turned off.";
	if (!str_starts(value, "https://"))
		return "does not begin with https://";
	size_t host = host_and_port(value + 8);
	const char *path = value + 8 + host;
	if (host == 0 || (*path != '\0' && *path != '/') || !only(path, strlen(path), URL_PATH))
		return "is not a plain https URL";
	return NULL;
}

/* The metadata server speaks plain HTTP: it is local to the machine. */
const char *validate_http(char *value, const char **remedy)
{
	*remedy = "Write http://host or http://host:port, without a path.";
	if (!str_starts(value, "http://"))
		return "does not begin with http://";
	size_t host = host_and_port(value + 7);
	char *rest = value + 7 + host;
	if (host == 0 || (*rest != '\0' && strcmp(rest, "/") != 0))
		return "is not http://host[:port]";
	*rest = '\0';
	return NULL;
}

const char *validate_endpoint(char *value, const char **remedy)
{
	*remedy = "Write https://host or https://host:port, without a path. TLS cannot be turned "
		  "off.";
	if (!str_starts(value, "https://"))
		return "does not begin with https://";
	size_t host = host_and_port(value + 8);
	char *rest = value + 8 + host;
	if (host == 0 || (*rest != '\0' && strcmp(rest, "/") != 0))
		return "is not https://host[:port]";
	*rest = '\0';
	return NULL;
}

#define URL_USER LETTERS DIGITS "-._~!$&'()*+,;="
#define HEX	 DIGITS "abcdefABCDEF"

/* "user:password" or "user", percent-encoded, and nothing that another parser could read
 * differently: no second @, no control character in an escape. */
static bool user_and_password(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] == ':' && i > 0)
			continue;
		if (s[i] == '%' && i + 2 < n && only(s + i + 1, 2, HEX) && s[i + 1] > '1' &&
			!(s[i + 1] == '7' && ascii_lower(s[i + 2]) == 'f'))
			i += 2;
		else if (!strchr(URL_USER, s[i]))
			return false;
	}
	return n > 0;
}

/* Proxy auto-configuration: "http://wpad/wpad.dat", "https://host/proxy.pac?x". */
static bool is_pac(const char *value)
{
	char path[1024];

	str_copy(path, sizeof(path), value);
	path[strcspn(path, "?#")] = '\0';
	str_lower(path);
	return str_ends(path, ".pac") || str_ends(path, "/wpad.dat") || str_starts(path, "pac+");
}

static void lower_scheme(char *value)
{
	const char *end = strstr(value, "://");

	for (char *p = value; end && p < end; p++)
		*p = ascii_lower(*p);
}

const char *validate_proxy(char *value, const char **remedy)
{
	static const char *const schemes[] = {"http://", "https://", "socks5://", "socks5h://"};

	*remedy = "Write http://host:port (or https, socks5, socks5h), with user:password@ before "
		  "the host if the proxy requires it; in user and password, write @ as %40, : as "
		  "%3A, / as %2F, # as %23, % as %25.";
	if (value[0] == '\0')
		return NULL;
	if (is_pac(value)) {
		*remedy = "Such a file is a program for browsers, which is not run here. Write the "
			  "proxy that it names: http://host:port.";
		return "is the address of a PAC file";
	}
	lower_scheme(value);
	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		if (!str_starts(value, schemes[i]))
			continue;
		char *host = value + strlen(schemes[i]);
		char *at = strrchr(host, '@');
		char *end;

		if (at && !user_and_password(host, (size_t)(at - host)))
			return "is not a proxy URL";
		host = at ? at + 1 : host;
		end = host + host_and_port(host);
		if (end == host || (*end != '\0' && strcmp(end, "/") != 0))
			return "is not a proxy URL";
		return NULL;
	}
	return "is not a proxy URL";
}

/* A host, a domain with or without a leading dot, or an IPv6 address with or without brackets. Some
 * versions of libcurl ignore a port. */
static bool each_is_host(const char *word, size_t len, void *ctx)
{
	bool brackets = len > 2 && word[0] == '[' && word[len - 1] == ']';

	(void)ctx;
	if (memchr(word, ':', len) && !memchr(word, '.', len) && !brackets)
		return len <= 39 && only(word, len, HEX ":") &&
		       memchr(word, ':', len) != memrchr(word, ':', len);
	if (brackets)
		return len <= 41 && only(word + 1, len - 2, HEX ":");
	return len > 0 && len <= 253 && only(word, len, LETTERS DIGITS "-.") &&
	       word[len - 1] != '.';
}

/* libcurl wants IPv6 addresses without them. */
static void drop_brackets(char *value)
{
	char *to = value;

	for (const char *from = value; *from; from++)
		if (*from != '[' && *from != ']')
			*to++ = *from;
	*to = '\0';
}

const char *validate_no_proxy(char *value, const char **remedy)
{
	*remedy = "Write hosts or domains separated by spaces, such as .internal.example.com, "
		  "without ports. Instead of *, leave proxy empty.";
	str_lower(value);
	if (!str_each_word(value, each_is_host, NULL))
		return "is not a list of hosts";
	drop_brackets(value);
	return NULL;
}

const char *validate_project(char *value, const char **remedy)
{
	size_t n = strlen(value);

	*remedy = "Write the ID of the Google Cloud project, such as identity-123456.";
	if (n > 63 || !only(value, n, LETTERS DIGITS "-.:"))
		return "is not a project ID";
	return NULL;
}

const char *validate_path(char *value, const char **remedy)
{
	size_t n = strlen(value);

	*remedy = "Write an absolute path.";
	if (value[0] != '/')
		return "does not begin with /";
	if (n >= 4096)
		return "is too long for a path";
	while (n > 1 && value[n - 1] == '/')
		value[--n] = '\0';
	return NULL;
}

const char *validate_path_or_none(char *value, const char **remedy)
{
	return value[0] == '\0' ? NULL : validate_path(value, remedy);
}

/* systemd's own rule for the names of credentials, which keeps the path in their directory. */
static bool credential_name(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n <= 64 && s[0] != '.' && only(s, n, LETTERS DIGITS "._-");
}

const char *validate_credentials(char *value, const char **remedy)
{
	if (value[0] == '\0' || strcmp(value, "metadata:") == 0)
		return NULL;
	if (value[0] == '/')
		return validate_path(value, remedy);
	*remedy = "Write the absolute path of the credential file, systemd:NAME for a credential "
		  "that systemd passes (LoadCredential=), or metadata: on Compute Engine and GKE.";
	if (str_starts(value, "systemd:"))
		return credential_name(value + 8) ? NULL : "is not the name of a credential";
	return "is not a path, systemd:NAME or metadata:";
}

const struct settings_key_reader *setting_key_reader;

void settings_read_keys_with(const struct settings_key_reader *reader)
{
	setting_key_reader = reader;
}

/* "handle:0x" and one to eight digits. */
static bool is_handle(const char *value)
{
	const char *digits = value + strlen("handle:0x");
	size_t n = str_starts(value, "handle:0x") ? strspn(digits, HEX) : 0;

	return n >= 1 && n <= 8 && digits[n] == '\0';
}

const char *validate_key(char *value, const char **remedy)
{
	*remedy = "Write the URI of the key: pkcs11:token=…;object=… for a PKCS#11 token, "
		  "handle:0x81000001 for a TPM 2.0.";
	if (value[0] == '\0')
		return NULL;
	if (strlen(value) > 1024 || strpbrk(value, " \t\"\\"))
		return "is not a key URI";
	if (str_starts(value, SETTINGS_KEY_PKCS11))
		return setting_key_reader ? setting_key_reader->wrong(value, remedy) : NULL;
	if (!str_starts(value, "handle:"))
		return "is neither pkcs11:… nor handle:0x…";
	*remedy = "Write the handle of a persistent key and nothing else: handle:0x81000001.";
	return is_handle(value) ? NULL : "is not the handle of a TPM key";
}

const char *validate_key_id(char *value, const char **remedy)
{
	size_t n = strlen(value);

	*remedy = "Write the key's ID as the Google Cloud console shows it (IAM, Service accounts, "
		  "Keys): 40 hexadecimal digits.";
	if (n > 100 || !only(value, n, LETTERS DIGITS "-_"))
		return "is not a key ID";
	return NULL;
}

/* Whether all braces in the first `n` bytes belong to known placeholders. */
static bool placeholders(const char *s, size_t n)
{
	static const char *const known[] = {"{user}", "{first}", "{last}", "{oslogin}"};

	for (size_t i = 0; i < n;) {
		size_t step = s[i] == '{' || s[i] == '}' ? 0 : 1;

		for (size_t k = 0; step == 0 && k < ARRAY_SIZE(known); k++)
			if (str_starts(s + i, known[k]))
				step = strlen(known[k]);
		if (step == 0)
			return false;
		i += step;
	}
	return true;
}

/* The part after the @ is fixed here: a user's name cannot change it. */
const char *validate_template(char *value, const char **remedy)
{
	char *at = strchr(value, '@');
	size_t local = at ? (size_t)(at - value) : 0;

	*remedy = "Write {user}@ and your domain, {first}.{last}@ and your domain (this needs "
		  "gecos = yes), or {oslogin}@ and your domain on hosts with OS Login.";
	if (value[0] == '\0')
		return NULL;
	if (!at || !host_name(at + 1, strlen(at + 1)))
		return "does not end with @ and a domain";
	if (!placeholders(value, local))
		return "has a placeholder other than {user}, {first}, {last} and {oslogin}";
	if (!memchr(value, '{', local))
		return "is the same address for every user";
	if (!only(value, local, LETTERS DIGITS "{}._+-"))
		return "has characters that an address cannot have";
	str_lower(value);
	return NULL;
}

static bool each_is_domain(const char *word, size_t len, void *ctx)
{
	(void)ctx;
	return host_name(word, len);
}

const char *validate_domains(char *value, const char **remedy)
{
	*remedy = "Write full domains separated by spaces, such as example.com example.org, "
		  "without @ or *. List subdomains separately.";
	str_lower(value);
	for (const char *p = value; *p != '\0'; p++)
		if ((unsigned char)*p >= 0x80) {
			*remedy = "Write its ASCII form, which the Admin console shows: "
				  "xn--mller-kva.example for m\303\274ller.example. `idn2 DOMAIN` "
				  "prints it.";
			return "has a domain with letters that are not ASCII";
		}
	return str_each_word(value, each_is_domain, NULL) ? NULL : "is not a list of domains";
}

/* A quotation mark that is part of a word has no partner, or stands in the middle of a name. */
static bool each_is_name(const char *word, size_t len, void *ctx)
{
	(void)ctx;
	return !memchr(word, '"', len) && word[len - 1] != '\\';
}

const char *validate_names(char *value, const char **remedy)
{
	*remedy = "Write names separated by spaces. A name with a space in it is written in "
		  "quotation marks: \"domain guests\".";
	return str_each_word(value, each_is_name, NULL) ? NULL : "is not a list of names";
}

/* User names are compared regardless of case, as directories do. */
const char *validate_users(char *value, const char **remedy)
{
	str_lower(value);
	return validate_names(value, remedy);
}

const char *validate_ledger(char *value, const char **remedy)
{
	*remedy = "Write sqlite: and an absolute path, such as "
		  "sqlite:/var/lib/cloudinvite/ledger.db.";
	if (str_starts(value, "postgresql://") || str_starts(value, "postgres://"))
		return NULL;
	return str_starts(value, "sqlite:/") ? NULL : "is neither sqlite:/path nor postgresql://…";
}

const char *validate_window(char *value, const char **remedy)
{
	return window_check(value, remedy);
}

const char *validate_timezone(char *value, const char **remedy)
{
	*remedy = "Write a time zone from /usr/share/zoneinfo, such as Europe/Berlin, or UTC. (If "
		  "that directory is empty, install the package tzdata.)";
	if (value[0] != '\0' && !timezone_known(value))
		return "is not a time zone that this host has";
	return NULL;
}

const char *validate_account(char *value, const char **remedy)
{
	size_t n = strlen(value);

	*remedy = "Write the name of a local system user, such as cloudinvite-collector.";
	if (n == 0 || n > 32 || value[0] == '-' || !only(value, n, LETTERS DIGITS "_.-"))
		return "is not a user name";
	return NULL;
}
