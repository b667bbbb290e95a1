/* tape_pool.h: spare tapes between batches.
 *
 * Any thread. At most SL_TAPE_POOL_MAX tapes of at most SL_TAPE_POOL_TOKENS tokens each are kept; a larger
 * one is freed, so that one huge record does not hold its memory for ever.
 */
#ifndef SLUICE_TAPE_POOL_H
#define SLUICE_TAPE_POOL_H

#include <sluice/json.h>

#define SL_TAPE_POOL_MAX    4
#define SL_TAPE_POOL_TOKENS (512u * 1024) /* 8 MiB */

/* An empty tape, with memory of an earlier one if there is a spare. */
void sl_tape_pool_take(sl_tape *tape);
/* Gives the tape's memory back; *tape is zeroed, which is an empty tape. */
void sl_tape_pool_give(sl_tape *tape);

#endif
