/* faulty_disk.h: a disk behind the door of sluice/fs.h whose calls fail as planned. Every call of the table
 * can be made to fail. Asked from any thread.
 */
#ifndef SLUICE_TEST_FAULTY_DISK_H
#define SLUICE_TEST_FAULTY_DISK_H

#include <sluice/fs.h>

typedef enum disk_call {
    DISK_OPEN = 1 << 0,
    DISK_READ = 1 << 1,
    DISK_WRITE = 1 << 2,
    DISK_SYNC = 1 << 3,
    DISK_TRUNCATE = 1 << 4,
    DISK_RENAME = 1 << 5,
    DISK_UNLINK = 1 << 6,
    DISK_CLOSE = 1 << 7, /* closes, and fails */
    DISK_ALLOCATE = 1 << 8,
    DISK_FSTAT = 1 << 9,
    DISK_STAT = 1 << 10, /* by path, links followed or not */
    DISK_LINK = 1 << 11,
    DISK_MKDIR = 1 << 12,
    DISK_ANY = (1 << 13) - 1,
} disk_call;

/* From the `at`-th call (from 1) of these kinds on, `times` calls fail with `error`; short_write: a failing
 * write has written half before. Counting begins now. */
void disk_fail(disk_call calls, uint64_t at, uint64_t times, int error, bool short_write);
/* The same as a table, to be put behind the door by the caller. Static storage. */
const sl_fs_ops *disk_faulty(disk_call calls, uint64_t at, uint64_t times, int error);
/* Calls of these kinds since disk_fail(). */
uint64_t disk_calls(void);
bool disk_failed(void); /* one was made to fail */
void disk_heal(void);

#endif
