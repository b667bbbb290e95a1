/* alloc.c: memory by policy: abort for what the program fixes, NULL for what the outside asked for (see
 * base.h). */
#include <link.h>
#include <malloc.h>
#include <sluice/base.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define KEPT_FREE   (8 << 20) /* bytes at the end of a heap that are not given back */
#define LARGE_BLOCK (4 << 20) /* larger ones are mapped by themselves; batches are far below */

/* By its defaults glibc unmaps the memory of each batch when it is freed; faulting the pages in anew for the
 * next one costs about as much as parsing it. One heap a thread would also keep what another thread could
 * use: a batch is made by a worker and freed by an output. And what is free at the end of a heap can be given
 * back of the first one only. */
void sl_memory_tune(void)
{
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK);
    mallopt(M_TRIM_THRESHOLD, KEPT_FREE);
}

/* glibc gives back by itself only what is free at the end of a heap; one small block that a busy minute left
 * there keeps everything before it, and each peak may leave some more. */
void sl_memory_give_back(void)
{
    malloc_trim(0);
}

/* Pages of a file that nothing was written to: what is touched again is read again, from the page cache. */
static void forget_segment(uintptr_t from, uintptr_t to)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    from = (from + page - 1) & ~(page - 1);
    to &= ~(page - 1);
    /* Where the kernel will not, the pages stay. */
    if (from < to) (void)madvise((void *)from, to - from, MADV_DONTNEED);
}

static int forget_object(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    (void)arg;
    if (strncmp(info->dlpi_name, "linux-vdso", 10) == 0) return 0; /* is no file */
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || segment->p_flags & PF_W) continue;
        uintptr_t from = info->dlpi_addr + segment->p_vaddr;
        forget_segment(from, from + segment->p_memsz);
    }
    return 0;
}

void sl_memory_forget_code(void)
{
    dl_iterate_phdr(forget_object, NULL);
}

void sl_out_of_memory(size_t size)
{
    fprintf(stderr, "FATAL: out of memory for %zu bytes: give the agent more memory, or lower its limits\n",
            size);
    abort();
}

static void *must(void *ptr, size_t size)
{
    if (SL_UNLIKELY(!ptr)) sl_out_of_memory(size);
    return ptr;
}

/* malloc(0) may be NULL, which must not read as "out of memory". */
static size_t at_least_one(size_t size)
{
    return size ? size : 1;
}

void *sl_alloc(size_t size)
{
    return must(malloc(at_least_one(size)), size);
}

void *sl_calloc(size_t count, size_t size)
{
    return must(calloc(at_least_one(count), at_least_one(size)), count * size);
}

void *sl_realloc(void *ptr, size_t size)
{
    return must(realloc(ptr, at_least_one(size)), size);
}

char *sl_strdup(const char *text)
{
    return sl_strndup(text, strlen(text));
}

char *sl_strndup(const char *text, size_t len)
{
    char *copy = sl_alloc(len + 1);
    if (len) memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

void *sl_try_alloc(size_t size)
{
    return malloc(at_least_one(size));
}

void *sl_try_realloc(void *ptr, size_t size)
{
    return realloc(ptr, at_least_one(size));
}

void sl_free(void *ptr)
{
    free(ptr);
}

void sl_wipe(void *ptr, size_t len)
{
    explicit_bzero(ptr, len);
}
