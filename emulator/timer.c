/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One thread that resumes suspended connections at their time.
 */
#include "timer.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "timestamp.h"
#include "xmalloc.h"

struct waiting {
	int64_t due_ms;
	struct MHD_Connection *connection;
};

/* `heap` is a binary heap with the earliest first. */
struct timer {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	bool stopping;
	struct waiting *heap;
	size_t n, room;
};

static void heap_swap(struct timer *t, size_t a, size_t b)
{
	struct waiting kept = t->heap[a];

	t->heap[a] = t->heap[b];
	t->heap[b] = kept;
}

static void heap_push(struct timer *t, struct waiting new)
{
	size_t at = t->n++;

	t->heap[at] = new;
	while (at > 0 && t->heap[at].due_ms < t->heap[(at - 1) / 2].due_ms) {
		heap_swap(t, at, (at - 1) / 2);
		at = (at - 1) / 2;
	}
}

static struct waiting heap_pop(struct timer *t)
{
	struct waiting first = t->heap[0];
	size_t at = 0;

	t->heap[0] = t->heap[--t->n];
	for (;;) {
		size_t least = at, child = 2 * at + 1;

		if (child < t->n && t->heap[child].due_ms < t->heap[least].due_ms)
			least = child;
		if (child + 1 < t->n && t->heap[child + 1].due_ms < t->heap[least].due_ms)
			least = child + 1;
		if (least == at)
			return first;
		heap_swap(t, at, least);
		at = least;
	}
}

static void timer_sleep(struct timer *t)
{
	struct timespec until;

	if (t->n == 0) {
		pthread_cond_wait(&t->changed, &t->lock);
		return;
	}
	until.tv_sec = (time_t)(t->heap[0].due_ms / 1000);
	until.tv_nsec = (long)(t->heap[0].due_ms % 1000) * 1000000;
	pthread_cond_timedwait(&t->changed, &t->lock, &until);
}

static void *timer_run(void *arg)
{
	struct timer *t = arg;

	pthread_mutex_lock(&t->lock);
	while (!t->stopping) {
		while (t->n > 0 && t->heap[0].due_ms <= monotonic_ms())
			MHD_resume_connection(heap_pop(t).connection);
		timer_sleep(t);
	}
	while (t->n > 0)
		MHD_resume_connection(heap_pop(t).connection);
	pthread_mutex_unlock(&t->lock);
	return NULL;
}

struct timer *timer_start(void)
{
	struct timer *t = xcalloc(sizeof *t);
	pthread_condattr_t monotonic;

	pthread_mutex_init(&t->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&t->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (pthread_create(&t->thread, NULL, timer_run, t) != 0)
		xnonnull(NULL);
	return t;
}

void timer_wait(struct timer *t, struct MHD_Connection *connection, int64_t ms)
{
	struct waiting new = {monotonic_ms() + ms, connection};

	MHD_suspend_connection(connection);
	pthread_mutex_lock(&t->lock);
	if (t->stopping) {
		MHD_resume_connection(connection);
	} else {
		t->heap = xgrow(t->heap, t->n, &t->room, sizeof t->heap[0]);
		heap_push(t, new);
		if (t->heap[0].connection == connection)
			pthread_cond_signal(&t->changed);
	}
	pthread_mutex_unlock(&t->lock);
}

void timer_stop(struct timer *t)
{
	pthread_mutex_lock(&t->lock);
	t->stopping = true;
	pthread_cond_signal(&t->changed);
	pthread_mutex_unlock(&t->lock);
	pthread_join(t->thread, NULL);
}

void timer_free(struct timer *t)
{
	free(t->heap);
	pthread_cond_destroy(&t->changed);
	pthread_mutex_destroy(&t->lock);
	free(t);
}
