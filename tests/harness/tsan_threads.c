/* tsan_threads.c: C11's threads on those of POSIX, for builds with the thread sanitizer alone.
 *
 * librdkafka uses <threads.h>, whose functions the sanitizer does not know: a thread that thrd_create() of
 * glibc made crashes in it, and what mtx_lock() orders looks unordered. Those of the program stand before
 * those of the library, so these are taken by both. mtx_t and cnd_t have the size and alignment of their
 * POSIX counterparts in glibc.
 */
#if defined(__SANITIZE_THREAD__)
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

/* Named by check_main.c, so that the linker takes this file in. */
void sl_test_threads_stand_in(void);
void sl_test_threads_stand_in(void) {}

_Static_assert(sizeof(mtx_t) >= sizeof(pthread_mutex_t), "mtx_t holds a pthread_mutex_t");
_Static_assert(sizeof(cnd_t) >= sizeof(pthread_cond_t), "cnd_t holds a pthread_cond_t");

typedef struct start {
    thrd_start_t run;
    void *arg;
} start;

static void *run(void *arg)
{
    start begin = *(start *)arg;
    free(arg);
    return (void *)(intptr_t)begin.run(begin.arg);
}

int thrd_create(thrd_t *thread, thrd_start_t fn, void *arg)
{
    start *begin = malloc(sizeof *begin);
    if (!begin) return thrd_nomem;
    *begin = (start){fn, arg};
    if (pthread_create(thread, NULL, run, begin) == 0) return thrd_success;
    free(begin);
    return thrd_error;
}

int thrd_join(thrd_t thread, int *result)
{
    void *value = NULL;
    if (pthread_join(thread, &value) != 0) return thrd_error;
    if (result) *result = (int)(intptr_t)value;
    return thrd_success;
}

int mtx_init(mtx_t *mutex, int type)
{
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    if (type & mtx_recursive) pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    int rc = pthread_mutex_init((pthread_mutex_t *)mutex, &attr);
    pthread_mutexattr_destroy(&attr);
    return rc == 0 ? thrd_success : thrd_error;
}

int mtx_lock(mtx_t *mutex)
{
    return pthread_mutex_lock((pthread_mutex_t *)mutex) == 0 ? thrd_success : thrd_error;
}

int mtx_unlock(mtx_t *mutex)
{
    return pthread_mutex_unlock((pthread_mutex_t *)mutex) == 0 ? thrd_success : thrd_error;
}

void mtx_destroy(mtx_t *mutex)
{
    pthread_mutex_destroy((pthread_mutex_t *)mutex);
}

int cnd_init(cnd_t *cond)
{
    return pthread_cond_init((pthread_cond_t *)cond, NULL) == 0 ? thrd_success : thrd_error;
}

int cnd_signal(cnd_t *cond)
{
    return pthread_cond_signal((pthread_cond_t *)cond) == 0 ? thrd_success : thrd_error;
}

int cnd_broadcast(cnd_t *cond)
{
    return pthread_cond_broadcast((pthread_cond_t *)cond) == 0 ? thrd_success : thrd_error;
}

int cnd_wait(cnd_t *cond, mtx_t *mutex)
{
    return pthread_cond_wait((pthread_cond_t *)cond, (pthread_mutex_t *)mutex) == 0 ? thrd_success
                                                                                    : thrd_error;
}

int cnd_timedwait(cnd_t *restrict cond, mtx_t *restrict mutex, const struct timespec *restrict until)
{
    int rc = pthread_cond_timedwait((pthread_cond_t *)cond, (pthread_mutex_t *)mutex, until);
    return rc == 0 ? thrd_success : rc == ETIMEDOUT ? thrd_timedout : thrd_error;
}

void cnd_destroy(cnd_t *cond)
{
    pthread_cond_destroy((pthread_cond_t *)cond);
}
#else
typedef int nothing_to_stand_in_for; /* an empty file is no C */
#endif
