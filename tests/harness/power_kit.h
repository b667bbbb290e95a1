/* power_kit.h: a model of what a disk keeps when the power goes: of a file what was there at its last
 * successful fsync, of a folder the names that were in it at its last successful fsync. What a failed fsync
 * did not write is thrown away: a later one that succeeds brings nothing of it back. For one folder of files
 * that are only appended to or cut (slots of fixed places are kept whole).
 */
#ifndef SLUICE_TEST_POWER_KIT_H
#define SLUICE_TEST_POWER_KIT_H

#include "journal_kit.h"

/* Begins to watch. What is in `dir` (NULL: nothing) is durable. */
void power_begin(const char *dir);
/* As disk_fail(), for a window of `times` calls from the `at`-th on. times 0: none. */
void power_fail(disk_call calls, uint64_t at, uint64_t times, int error);
void power_end(void);
/* What is left of the folder after the power went now: as a new folder. The least there is: what was synced.
 */
void power_cut(char left[256]);
/* Any of what there may be: besides what was synced any subset of the sectors written since, files cut at any
 * byte behind what was synced, and any of the names made or removed since. dice(n): a number below n. */
void power_cut_any(const char *dir, uint64_t (*dice)(uint64_t sides), char left[256]);

#endif
