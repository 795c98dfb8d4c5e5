/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl depends on some forty libraries. Their start runs through more than a megabyte of code
 * that a waiting program does not need again. As long as it is mapped, the kernel considers it in
 * use and drops other files first.
 */
#include "worker/dispatcher/memory.h"

#include <link.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#define BIG_BLOCK (128 * 1024) /* has a mapping of its own */

/* glibc raises this limit to the size of every large block that is freed, and would then keep the
 * next one. */
void memory_configure(void)
{
	mallopt(M_MMAP_THRESHOLD, BIG_BLOCK);
}

/* Code that was relocated differs from its file, and would be lost. */
static bool code_was_changed(const struct dl_phdr_info *object)
{
	for (int n = 0; n < object->dlpi_phnum; n++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[n];
		const ElfW(Dyn) * entry;

		if (segment->p_type != PT_DYNAMIC)
			continue;
		/* The address of a loaded segment. */
		entry = (const ElfW(Dyn) *)(object->dlpi_addr + segment->p_vaddr);
		for (; entry->d_tag != DT_NULL; entry++)
			if (entry->d_tag == DT_TEXTREL ||
				(entry->d_tag == DT_FLAGS && entry->d_un.d_val & DF_TEXTREL))
				return true;
		return false;
	}
	return true; /* unknown */
}

static int release_code(struct dl_phdr_info *object, size_t size, void *ctx)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	(void)size, (void)ctx;
	if (code_was_changed(object))
		return 0;
	for (int n = 0; n < object->dlpi_phnum; n++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[n];
		uintptr_t start = object->dlpi_addr + segment->p_vaddr;

		if (segment->p_type != PT_LOAD || segment->p_flags != (PF_R | PF_X))
			continue;
		start -= start % page;
		(void)madvise((void *)start,
			object->dlpi_addr + segment->p_vaddr + segment->p_memsz - start,
			MADV_DONTNEED);
	}
	return 0;
}

void memory_release(void)
{
	malloc_trim(0);
	(void)dl_iterate_phdr(release_code, NULL);
}
