/* state_log.c: SQLite's write-ahead log after a sync that failed.
 *
 * SQLite takes the next sync that succeeds for proof that the log is on the disk. But after a failed one
 * Linux may call the pages clean that it could not write, and never write them. So the log is written again
 * in its place, byte for byte, which makes its pages dirty, and synced, before a durable commit is believed.
 * Under SQLite's write lock nobody else changes it meanwhile; who reads it reads the same bytes.
 *
 * One log serves many handles: a failed sync is counted for all of the process, and each handle writes the
 * log again once it has heard of one.
 */
#include "state_int.h"

#define CHECKPOINT_PAGES 1000 /* SQLite's own default */
#define PIECE            (64 * 1024)

static uint64_t failed_syncs; /* atomic */

uint64_t sl_state__failed_syncs(void)
{
    return __atomic_load_n(&failed_syncs, __ATOMIC_ACQUIRE);
}

void sl_state__note_failure(int code)
{
    if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC)
        __atomic_add_fetch(&failed_syncs, 1, __ATOMIC_RELEASE);
}

void sl_state__checkpoint(sqlite3 *db)
{
    sl_state__note_failure(sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL));
}

/* What SQLite's own hook does, but it forgets what came of it. */
static int on_commit(void *arg, sqlite3 *db, const char *name, int pages)
{
    (void)arg;
    (void)name;
    if (pages >= CHECKPOINT_PAGES) sl_state__checkpoint(db);
    return SQLITE_OK;
}

void sl_state__watch_log(sqlite3 *db)
{
    sqlite3_wal_hook(db, on_commit, NULL);
}

static int write_again(sqlite3_file *log)
{
    const sqlite3_io_methods *io = log->pMethods;
    sqlite3_int64 size = 0;
    char *piece = sl_alloc(PIECE);
    int rc = io->xFileSize(log, &size);
    for (sqlite3_int64 at = 0; rc == SQLITE_OK && at < size; at += PIECE) {
        int len = size - at < PIECE ? (int)(size - at) : PIECE;
        rc = io->xRead(log, piece, len, at);
        if (rc == SQLITE_OK) rc = io->xWrite(log, piece, len, at);
    }
    if (rc == SQLITE_OK && size > 0) rc = io->xSync(log, SQLITE_SYNC_NORMAL);
    sl_free(piece);
    return rc;
}

bool sl_state__rewrite_log(sqlite3 *db)
{
    sqlite3_file *log = NULL;
    int rc = sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
    if (rc == SQLITE_OK && log && log->pMethods) rc = write_again(log);
    sl_state__note_failure(rc);
    return rc == SQLITE_OK;
}
