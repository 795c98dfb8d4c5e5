/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper's loop: requests, announcements and listings, none of which waits for the peer.
 * keeper.h has the states and the invariants.
 */
#include "spool/keeper.h"

#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/array.h"
#include "base/file.h"
#include "base/log.h"
#include "spool/walk.h"

#define AT_ONCE	   64 /* records that are read and sent before the other direction has its turn */
#define RETRY_MS   50 /* time until the lock of another keeper is tried again */
#define NEW_EVENTS (IN_CREATE | IN_MOVED_TO)
/* An inotify watch on an open directory does not report its deletion; the watch on its parent
 * does. */
#define SPOOL_EVENTS (IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF | IN_MOVE_SELF)

bool spool_keeper_open(struct spool_keeper *k, const char *spool, struct fault *fault)
{
	*k = (struct spool_keeper){.peer = -1, .changes = -1, .marks = -1};
	return spool_reader_open(&k->dirs, spool, fault);
}

void spool_keeper_close(struct spool_keeper *k)
{
	spool_keeper_detach(k);
	spool_reader_close(&k->dirs);
}

/* ---- the peer ---- */

/* Relative to the spool: every local user can lock the directories on the way to it, so they are
 * not walked again. */
static bool watch(struct spool_keeper *k)
{
	k->changes = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (k->changes < 0 || fchdir(k->dirs.spool) != 0)
		return false;
	k->watch_spool = inotify_add_watch(k->changes, ".", SPOOL_EVENTS | IN_ONLYDIR);
	k->watch_new =
		inotify_add_watch(k->changes, SPOOL_NEW, NEW_EVENTS | IN_ONLYDIR | IN_DONT_FOLLOW);
	return k->watch_spool >= 0 && k->watch_new >= 0;
}

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

void spool_keeper_refuse_descriptors(int socket)
{
	const int no = 0;

	(void)setsockopt(socket, SOL_SOCKET, SO_PASSRIGHTS, &no, sizeof(no));
}

bool spool_keeper_attach(struct spool_keeper *k, int peer, struct fault *fault)
{
	spool_keeper_detach(k);
	k->peer = peer;
	spool_keeper_refuse_descriptors(peer);
	k->news = true; /* for arrivals that are in new/ already */
	if (watch(k))
		return true;
	k->lost = errno == ENOENT;
	if (k->lost)
		return true;
	fault_set(fault, FAULT_STORAGE, "inotify", "cannot watch the spool for changes: %s",
		strerror(errno));
	if (errno == ENOSPC || errno == EMFILE)
		fault_remedy(fault, "Raise fs.inotify.max_user_watches or max_user_instances.");
	spool_keeper_detach(k);
	return false;
}

void spool_keeper_detach(struct spool_keeper *k)
{
	if (k->locked)
		(void)flock(k->dirs.new_dir, LOCK_UN);
	file_close(&k->peer);
	file_close(&k->changes);
	spool_listing_close(&k->listing);
	k->locked = k->news = k->told = k->full = k->answering = k->pending = false;
	k->failed.status = 0;
	k->marks = -1;
}

/* The keeper of a collector that was killed may still be ending: two keepers never serve at
 * once. */
static bool lock(struct spool_keeper *k)
{
	k->locked = k->locked || k->beside || flock(k->dirs.new_dir, LOCK_EX | LOCK_NB) == 0;
	return k->locked;
}

bool spool_is_served(int new_dir)
{
	if (flock(new_dir, LOCK_SH | LOCK_NB) != 0)
		return errno == EWOULDBLOCK;
	(void)flock(new_dir, LOCK_UN);
	return false;
}

/* ---- changes in new/ ---- */

static bool is_loss(const struct spool_keeper *k, const struct inotify_event *e)
{
	if (e->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT))
		return e->wd == k->watch_spool || e->wd == k->watch_new;
	return (e->mask & (IN_DELETE | IN_MOVED_FROM)) && e->wd == k->watch_spool && e->len > 0 &&
	       strcmp(e->name, SPOOL_NEW) == 0;
}

/* The names of the arrivals are not stored: the peer asks, and the directory is read. After an
 * overflow, events are lost, so there may be new arrivals. */
static void read_changes(struct spool_keeper *k)
{
	char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n;

	while ((n = read(k->changes, events, sizeof(events))) > 0) {
		for (const char *at = events; at < events + n;) {
			const struct inotify_event *e = (const void *)at;

			if (is_loss(k, e))
				k->lost = true;
			else if (e->wd == k->watch_new || (e->mask & IN_Q_OVERFLOW))
				k->news = true;
			at += sizeof(*e) + e->len;
		}
	}
}

/* ---- requests ---- */

static void answer_with(struct spool_keeper *k, int status, const char *box, const char *what)
{
	(void)spool_record_make(&k->answer, SPOOL_TELL_END, what, box);
	k->answer.status = status;
	k->answering = true;
}

/* Stores the first failure, which says most; the peer gets it with its next P. */
static void record_failure(struct spool_keeper *k, const char *box, const char *what)
{
	int why = errno;

	if (k->failed.status != 0)
		return;
	(void)spool_record_make(&k->failed, SPOOL_TELL_END, what, box);
	k->failed.status = why ? why : EIO;
}

static void begin_arrivals(struct spool_keeper *k, const struct spool_record *r)
{
	/* Everything that has arrived until now is in the listing. */
	read_changes(k);
	k->news = k->told = false;
	k->left = r->count;
	k->listed = SPOOL_TELL_ARRIVAL;
	if (spool_listing_open(&k->listing, &k->dirs, k->dirs.new_dir))
		answer_with(k, 0, NULL, NULL);
	else
		answer_with(k, errno, SPOOL_NEW, "cannot be listed");
}

static void begin_marks(struct spool_keeper *k, const struct spool_record *r)
{
	k->before = r->time;
	k->listed = SPOOL_TELL_MARK;
	if (spool_listing_open(&k->listing, &k->dirs, k->dirs.seen_dir))
		answer_with(k, 0, NULL, NULL);
	else
		answer_with(k, errno, SPOOL_SEEN, "cannot be listed");
}

static void bind_marks(struct spool_keeper *k, const struct spool_record *r)
{
	int dropped = 0;
	bool older = false;

	if (spool_bind_ledger(&k->dirs, r->name, r->count, &dropped, &older, NULL))
		answer_with(k, 0, older ? SPOOL_WORD_OLDER : NULL, NULL);
	else
		answer_with(k, errno, SPOOL_SEEN, SPOOL_LEDGER);
	k->answer.count = dropped;
	k->marks = -1;
}

static void measure(struct spool_keeper *k, const struct spool_record *r)
{
	bool of_new = strcmp(r->word, SPOOL_NEW) == 0;
	struct spool_content content = {.count = 0};

	if (!of_new && strcmp(r->word, SPOOL_BAD) != 0) {
		answer_with(k, EINVAL, r->word, NULL);
	} else if (spool_stat(of_new ? k->dirs.new_dir : k->dirs.bad_dir, &content)) {
		answer_with(k, 0, NULL, NULL);
		k->answer.count = content.count;
		k->answer.time = content.oldest > 0 ? content.oldest : 0;
	} else {
		answer_with(k, errno, r->word, "cannot be listed");
	}
}

static void flush(struct spool_keeper *k, const struct spool_record *r)
{
	(void)r;
	answer_with(k, 0, NULL, NULL);
	if (k->failed.status != 0)
		k->answer = k->failed;
	k->failed.status = 0;
}

/* ---- actions ---- */

static bool count_mark(const char *name, void *ctx)
{
	int64_t *marks = ctx;

	(void)name;
	return ++*marks < SPOOL_MARKS_MOST;
}

/* A marker that replaces an arrival costs no inode that a login has not used before. A marker
 * without an arrival is a convenience, and a hostile peer could ask for any number. Beyond the
 * limit none is written, and the user's next login is reported again. */
static bool may_add_mark(struct spool_keeper *k)
{
	int64_t marks = 0;

	if (k->marks < 0 && spool_walk(k->dirs.seen_dir, count_mark, &marks) == 0)
		k->marks = marks;
	return k->marks >= 0 && k->marks < SPOOL_MARKS_MOST;
}

static void mark(struct spool_keeper *k, const struct spool_record *r)
{
	int there = spool_exists(k->dirs.seen_dir, r->name);
	char user[SPOOL_USER_MAX + 1];
	bool good = true;

	if (!spool_parse_mark(r->name, user))
		return;
	if (there > 0 && r->verb != SPOOL_ASK_FIRST) {
		good = spool_mark(&k->dirs, user, r->word, NULL);
	} else if (there == 0 && r->verb != SPOOL_ASK_CHANGE && may_add_mark(k)) {
		good = spool_mark_first(&k->dirs, user, r->word, NULL);
		k->marks++;
	} else {
		good = there >= 0;
	}
	if (!good)
		record_failure(k, SPOOL_SEEN, r->name);
}

static void take(struct spool_keeper *k, const struct spool_record *r)
{
	if (!spool_remove(&k->dirs, r->name, NULL))
		record_failure(k, SPOOL_NEW, r->name);
}

/* The marker comes first: after a crash in between, the arrival is listed again. */
static void mark_and_take(struct spool_keeper *k, const struct spool_record *r)
{
	struct spool_arrival arrival;
	int found = spool_find_arrival(&k->dirs, r->name, &arrival);

	if (found < 0)
		record_failure(k, SPOOL_NEW, r->name);
	else if (found > 0 && !spool_mark_arrival(&k->dirs, &arrival, NULL))
		record_failure(k, SPOOL_SEEN, r->name);
	else
		take(k, r);
}

static void unmark(struct spool_keeper *k, const struct spool_record *r)
{
	if (unlinkat(k->dirs.seen_dir, r->name, 0) == 0)
		k->marks -= k->marks > 0;
	else if (errno != ENOENT)
		record_failure(k, SPOOL_SEEN, r->name);
}

static const struct {
	char verb;
	bool answered;
	void (*act)(struct spool_keeper *k, const struct spool_record *r);
} acts[] = {
	{SPOOL_ASK_ARRIVALS, true, begin_arrivals},
	{SPOOL_ASK_SEEN, false, mark_and_take},
	{SPOOL_ASK_TAKE, false, take},
	{SPOOL_ASK_MARK, false, mark},
	{SPOOL_ASK_CHANGE, false, mark},
	{SPOOL_ASK_FIRST, false, mark},
	{SPOOL_ASK_UNMARK, false, unmark},
	{SPOOL_ASK_MARKS, true, begin_marks},
	{SPOOL_ASK_BIND, true, bind_marks},
	{SPOOL_ASK_STAT, true, measure},
	{SPOOL_ASK_FLUSH, true, flush},
};

/* False for a request that needs an answer while another answer is pending. */
static bool act(struct spool_keeper *k, const struct spool_record *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(acts); i++)
		if (acts[i].verb == r->verb && !(acts[i].answered && k->answering)) {
			acts[i].act(k, r);
			return true;
		}
	return false;
}

/* False: the peer is gone, or has sent a record that an honest peer never sends. Because there is
 * no buffer for control data, the kernel drops descriptors that the peer passes. */
static bool hear(struct spool_keeper *k)
{
	struct spool_record r;
	ssize_t n;

	for (int i = 0; i < AT_ONCE; i++) {
		/* MSG_TRUNC gives the real length of a packet that is longer than a record. */
		n = recv(k->peer, &r, sizeof(r), MSG_DONTWAIT | MSG_TRUNC);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		if (n == 0 || !spool_record_is_request(&r, (size_t)n))
			return false;
		if (!act(k, &r))
			return false;
	}
	return true;
}

/* ---- answers ---- */

/* 1 sent, 0 no room, -1 the peer is gone. */
static int tell_one(struct spool_keeper *k, const struct spool_record *r)
{
	if (send(k->peer, r, sizeof(*r), MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof(*r))
		return 1;
	k->full = errno == EAGAIN || errno == EINTR;
	return k->full ? 0 : -1;
}

/* Reads the next entry of the listing into k->next; closes the listing at its end. */
static void read_on(struct spool_keeper *k)
{
	struct spool_arrival arrival = {.at = 0};
	char name[SPOOL_NAME_MAX + 1];
	int64_t at = 0;
	int got = 0;

	if (k->listed == SPOOL_TELL_MARK) {
		got = spool_next_mark(&k->listing, k->before, name, &at);
	} else if (k->left > 0) {
		got = spool_next_arrival(&k->listing, &arrival);
		k->left -= got > 0;
	}
	if (got > 0) {
		bool mark = k->listed == SPOOL_TELL_MARK;

		(void)spool_record_make(&k->next, k->listed, mark ? name : arrival.name, NULL);
		at = mark ? at : arrival.at;
		k->next.time = at > 0 ? at : 0;
		k->pending = true;
		return;
	}
	if (got < 0)
		answer_with(k, errno, k->listed == SPOOL_TELL_MARK ? SPOOL_SEEN : SPOOL_NEW,
			"cannot be listed");
	spool_listing_close(&k->listing);
}

/* The next record to send, in their order; NULL if there is none. */
static const struct spool_record *to_tell(struct spool_keeper *k)
{
	static const struct spool_record news = {.verb = SPOOL_TELL_NEWS};

	if (k->listing.dir && !k->pending)
		read_on(k);
	if (k->pending)
		return &k->next;
	if (k->answering)
		return &k->answer;
	return k->news && !k->told ? &news : NULL;
}

static void was_told(struct spool_keeper *k, const struct spool_record *r)
{
	if (r == &k->next)
		k->pending = false;
	else if (r == &k->answer)
		k->answering = false;
	else
		k->told = true;
}

static bool tell(struct spool_keeper *k)
{
	const struct spool_record *r;
	int told;

	k->full = false;
	for (int i = 0; i < AT_ONCE; i++) {
		r = to_tell(k);
		told = r ? tell_one(k, r) : 0;
		if (told <= 0)
			return told == 0;
		was_told(k, r);
	}
	return true;
}

/* ---- one turn ---- */

static bool has_to_tell(const struct spool_keeper *k)
{
	return k->answering || (k->news && !k->told);
}

int spool_keeper_poll(
	const struct spool_keeper *k, struct pollfd fds[SPOOL_KEEPER_FDS], int *timeout_ms)
{
	short events = POLLIN;

	*timeout_ms = -1;
	if (k->peer < 0)
		return 0;
	/* Until the other keeper has ended, only the end of the peer matters. */
	if (!k->locked) {
		*timeout_ms = RETRY_MS;
		events = 0;
	} else if (k->full) {
		events |= POLLOUT;
	} else if (has_to_tell(k)) {
		*timeout_ms = 0;
	}
	fds[0] = (struct pollfd){.fd = k->peer, .events = events};
	fds[1] = (struct pollfd){.fd = k->changes, .events = POLLIN};
	return SPOOL_KEEPER_FDS;
}

int spool_keeper_say_lost(void)
{
	struct fault fault;

	fault_set(&fault, FAULT_STORAGE, "spool_lost", "the spool's " SPOOL_NEW "/ was removed");
	fault_remedy(&fault, "Restart cloudinvite-keeper: its unit runs --prepare, which creates "
			     "the spool again.");
	log_fault(LOG_LEVEL_ERROR, "spool_lost", &fault);
	return fault_exit_code(fault.kind);
}

static bool peer_is_gone(const struct spool_keeper *k)
{
	struct pollfd fd = {.fd = k->peer};

	return poll(&fd, 1, 0) > 0 && (fd.revents & (POLLHUP | POLLERR | POLLNVAL));
}

/* The last requests of a peer that has gone are dropped: the next peer may be served already, and
 * it is told everything again. */
void spool_keeper_turn(struct spool_keeper *k)
{
	if (k->peer < 0)
		return;
	if (peer_is_gone(k)) {
		spool_keeper_detach(k);
		return;
	}
	if (!lock(k))
		return;
	read_changes(k);
	if (!k->lost && (!hear(k) || !tell(k)))
		spool_keeper_detach(k);
}
