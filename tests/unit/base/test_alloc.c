#include "check_main.h"
#include <pthread.h>
#include <sluice/base.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OWN_ALLOCATOR 1 /* the sanitizer's, which gives back as it likes */
#else
#define OWN_ALLOCATOR 0
#endif

#define BLOCKS 64u
#define LARGE  (512u * 1024)

static size_t resident_bytes(void)
{
    unsigned long total = 0, resident = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    ck_assert_ptr_nonnull(statm);
    ck_assert_int_eq(fscanf(statm, "%lu %lu", &total, &resident), 2);
    fclose(statm);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

START_TEST(give_back__returns_what_is_free_between_what_is_in_use)
{
    char *large[BLOCKS], *small[BLOCKS];
    sl_memory_tune();
    for (unsigned i = 0; i < BLOCKS; i++) {
        large[i] = memset(sl_alloc(LARGE), 1, LARGE);
        small[i] = memset(sl_alloc(4096), 2, 4096);
    }
    size_t peak = resident_bytes();
    for (unsigned i = 0; i < BLOCKS; i++)
        sl_free(large[i]);
    sl_memory_give_back();
    if (!OWN_ALLOCATOR) ck_assert_uint_lt(resident_bytes(), peak - BLOCKS * (LARGE - LARGE / 8));
    for (unsigned i = 0; i < BLOCKS; i++) {
        for (unsigned at = 0; at < 4096; at++)
            ck_assert_int_eq(small[i][at], 2);
        sl_free(small[i]);
    }
}
END_TEST

static void *use_and_free(void *peak)
{
    char *large[8];
    for (unsigned i = 0; i < SL_LEN(large); i++)
        large[i] = memset(sl_alloc(LARGE), 1, LARGE);
    *(size_t *)peak = resident_bytes();
    for (unsigned i = 0; i < SL_LEN(large); i++)
        sl_free(large[i]);
    return NULL;
}

/* Less than is kept at the end of a heap while it is in use. */
START_TEST(give_back__returns_what_any_thread_has_freed)
{
    pthread_t thread;
    size_t peak = 0;
    sl_memory_tune();
    ck_assert_int_eq(pthread_create(&thread, NULL, use_and_free, &peak), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    sl_memory_give_back();
    if (!OWN_ALLOCATOR) ck_assert_uint_lt(resident_bytes(), peak - 7 * LARGE);
}
END_TEST

SL_TEST_MAIN("alloc", give_back__returns_what_is_free_between_what_is_in_use,
             give_back__returns_what_any_thread_has_freed)
