/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What to click and paste at Google, following the setup guide of the User Invitation API, and the
 * problems that others have met.
 */
#include "base/str.h"
#include "cli/setup/setup.h"

#include <stdio.h>
#include <string.h>

#include "google/auth/token.h"
#include "google/types.h"

#define CLOUD "https://console.cloud.google.com"
#define ADMIN "https://admin.google.com"

/* ---- the page ---- */

static void step(struct setup *s, int number, const char *text)
{
	char label[8];

	str_format(label, sizeof(label), "%d.", number);
	screen_to_column(&s->screen, 2);
	screen_put(&s->screen, STYLE_BOLD, label);
	screen_to_column(&s->screen, 5);
	screen_wrap(&s->screen, STYLE_PLAIN, 5, text);
	screen_newline(&s->screen);
}

/* Something to open or paste: on a line of its own, unbroken. */
static void line(const char *text)
{
	cli_print("     %s", text);
}

static void page(const char *address, const struct setup_credential *known)
{
	char whole[512];

	str_format(whole, sizeof(whole), "%s%s%s", address,
		known && known->project[0] ? "?project=" : "", known ? known->project : "");
	line(whole);
}

/* ---- Google Cloud console ---- */

static void make_account(struct setup *s, int number, const struct setup_credential *known)
{
	step(s, number,
		"Create a service account without any role: Create service account, name "
		"cloudinvite, Done. On its page, note the Unique ID, a number: the delegation "
		"below needs it.");
	page(CLOUD "/iam-admin/serviceaccounts", known);
	line("gcloud iam service-accounts create cloudinvite");
	line("gcloud iam service-accounts describe cloudinvite@PROJECT.iam.gserviceaccount.com "
	     "--format='value(uniqueId)'");
}

static void enable_apis(
	struct setup *s, int number, const struct setup_credential *known, bool sign)
{
	step(s, number,
		sign ? "Enable the Cloud Identity API, and the IAM Service Account Credentials API:"
		     : "Enable the Cloud Identity API:");
	page(CLOUD "/apis/library/cloudidentity.googleapis.com", known);
	if (sign)
		page(CLOUD "/apis/library/iamcredentials.googleapis.com", known);
	line(sign ? "gcloud services enable cloudidentity.googleapis.com "
		    "iamcredentials.googleapis.com"
		  : "gcloud services enable cloudidentity.googleapis.com");
}

static void guide_keyless(struct setup *s, const struct setup_credential *known)
{
	enable_apis(s, 2, known, true);
	make_account(s, 3, known);
	step(s, 4,
		"Let this machine sign for that account: on the account's page, Principals with "
		"access, Grant access: the machine's own service account (which may be the same "
		"one), role Service Account Token Creator. Anyone with that role can use this "
		"scope as any user of the organisation: grant it to nobody else.");
	line("gcloud iam service-accounts add-iam-policy-binding "
	     "cloudinvite@PROJECT.iam.gserviceaccount.com \\");
	line("  --member=serviceAccount:MACHINE@PROJECT.iam.gserviceaccount.com "
	     "--role=roles/iam.serviceAccountTokenCreator");
	step(s, 5,
		"The credential then is `metadata:`, and the machine needs the access scope "
		"cloud-platform. Outside Google Cloud, create a workload identity pool instead "
		"(see cloudinvite.conf(5)); the credential then is the pool's configuration file.");
}

static void guide_key(struct setup *s, const struct setup_credential *known)
{
	enable_apis(s, 2, known, false);
	make_account(s, 3, known);
	step(s, 4,
		"Create a key: on the account's page, Keys, Add key, Create new key, JSON. Copy "
		"the file to this host and delete all other copies: anyone who has it can use this "
		"scope as any user of the organisation, from anywhere.");
	step(s, 5,
		"If Google says that key creation is not allowed, the organisation policy "
		"iam.disableServiceAccountKeyCreation forbids it, as in all new organisations. "
		"Then use the way without a key, or log in as an administrator.");
}

static void guide_login(struct setup *s, const struct setup_credential *known)
{
	enable_apis(s, 2, known, false);
	step(s, 3,
		"Configure the consent screen with audience Internal. With an External app in "
		"testing, every login ends after seven days.");
	page(CLOUD "/auth/audience", known);
	step(s, 4, "Create an OAuth client of type Desktop app and download its JSON file.");
	page(CLOUD "/auth/clients", known);
	step(s, 5,
		"Log in with it as the administrator (setup does this for you if you give it the "
		"client file):");
	line("sudo cloudinvite login --client FILE");
}

void setup_guide_cloud(
	struct setup *s, enum setup_route route, const struct setup_credential *known)
{
	if (s->json)
		return;
	screen_heading(&s->screen, "In the Google Cloud console");
	step(s, 1, "Create a project for cloudinvite in the organisation:");
	line(CLOUD "/projectcreate");
	if (route == ROUTE_KEY)
		guide_key(s, known);
	else if (route == ROUTE_LOGIN)
		guide_login(s, known);
	else
		guide_keyless(s, known);
}

/* ---- Admin console ---- */

static void guide_delegation(struct setup *s, const struct setup_credential *known)
{
	char id[96];

	step(s, 1,
		"Domain-wide delegation (Security, Access and data control, API controls): Add "
		"new, paste both, Authorize. The client id is the number, not the mail address; "
		"add this scope and no other. It takes minutes, sometimes a day.");
	line(ADMIN "/ac/owl/domainwidedelegation");
	str_format(id, sizeof(id), "Client ID:    %s",
		known && known->client_id[0] ? known->client_id
					     : "the service account's Unique ID, a number");
	line(id);
	line("OAuth scopes: " GOOGLE_SCOPE);
	step(s, 2,
		"The administrator to act as: create a super administrator for this purpose only, "
		"and sign in with it once. Google's audit log names that account.");
	line(ADMIN "/ac/users");
}

static void guide_session(struct setup *s)
{
	step(s, 1,
		"The administrator who logs in: create a super administrator for this purpose "
		"only, and sign in with it once. Google's audit log names that account.");
	line(ADMIN "/ac/users");
	step(s, 2,
		"If Google Cloud session control (Security, Access and data control) is on, it "
		"ends logins within hours (rapt_required): exempt this account from it.");
}

void setup_guide_admin(
	struct setup *s, enum setup_route route, const struct setup_credential *known)
{
	if (s->json)
		return;
	screen_heading(&s->screen, "In the Admin console, as a super administrator");
	if (route == ROUTE_LOGIN)
		guide_session(s);
	else
		guide_delegation(s, known);
	step(s, 3,
		"If \"Conflicting accounts management\" or a provisioning connector "
		"(resolveConflictAccount) is on, Google sends invitations on its own.");
	step(s, 4,
		"Your edition: Essentials has no invitations. Google's notice of 2022 also "
		"excludes most Education editions, Frontline, Nonprofits and legacy ones; whether "
		"they have them today is not known. The check will show it.");
}
