/* sqlite_disk.h: a disk under SQLite that keeps what a power cut leaves, and whose syncs fail on demand.
 *
 * Once begun it stands behind every connection that is opened from then on. Of each file it knows, sector by
 * sector, what was synced and what was only written. What a failed sync did not write is thrown away: it can
 * be read, but a later sync that succeeds brings nothing of it to the disk. One thread; nothing is really
 * synced.
 */
#ifndef SLUICE_TEST_SQLITE_DISK_H
#define SLUICE_TEST_SQLITE_DISK_H

#include <sluice/base.h>

/* A number below `sides`. */
typedef uint64_t (*sqlite_disk_dice)(uint64_t sides);

void sqlite_disk_begin(sqlite_disk_dice dice);
void sqlite_disk_end(void);
/* The `at`-th sync from now (from 1) fails; 0: none. */
void sqlite_disk_fail_sync(uint64_t at);
/* At the `at`-th write or sync from now the power goes: what is left then is put into the folder `left`, any
 * subset of what was not synced among it, and `cut` is called. The disk works on: what follows is not in
 * `left`. */
void sqlite_disk_cut(uint64_t at, const char *left, void (*cut)(void));

#endif
