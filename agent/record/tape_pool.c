/* tape_pool.c: spare tapes between batches. The lock is taken twice a batch, never while a record is handled.
 */
#include "tape_pool.h"

#include <pthread.h>

static struct {
    pthread_mutex_t lock;
    sl_tape spare[SL_TAPE_POOL_MAX];
    int count;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER};

void sl_tape_pool_take(sl_tape *tape)
{
    *tape = (sl_tape){0};
    pthread_mutex_lock(&pool.lock);
    if (pool.count > 0) *tape = pool.spare[--pool.count];
    pthread_mutex_unlock(&pool.lock);
}

void sl_tape_pool_give(sl_tape *tape)
{
    tape->len = 0;
    bool worth = tape->cap > 0 && tape->cap <= SL_TAPE_POOL_TOKENS;
    if (worth) {
        pthread_mutex_lock(&pool.lock);
        worth = pool.count < SL_TAPE_POOL_MAX;
        if (worth) pool.spare[pool.count++] = *tape;
        pthread_mutex_unlock(&pool.lock);
    }
    if (!worth) sl_tape_release(tape);
    *tape = (sl_tape){0};
}
