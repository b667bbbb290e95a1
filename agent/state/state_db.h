/* state_db.h: the database behind sluice/state.h: `<data_dir>/state.db`, SQLite in WAL mode.
 *
 * One handle a user, on any one thread at a time; many handles share the file, and a commit waits up to
 * SL_STATE_BUSY_MS for another's. sl_state_put() and sl_state_remove() only note what to do: nothing is
 * locked between commits, and get and each see what has been committed. A commit that fails (disk full, I/O
 * error) leaves the notes as they are: commit again later.
 *
 * A damaged database never stops the agent. It is found by `PRAGMA quick_check` when a handle is opened, set
 * aside as `state.db.damaged-<UTC time>` (with its -wal), logged as an error, and an empty one is started.
 * What that means: checkpoints and file ids are gone. Files are met as for the first time, under new ids, and
 * read from where the input's `read_from` says: with `start` their records are sent again and are doubles in
 * the index, with `end` what was written meanwhile is not read. The set-aside file is for a person to look
 * at; the agent never reads it again.
 */
#ifndef SLUICE_STATE_DB_H
#define SLUICE_STATE_DB_H

#include <sluice/state.h>

#define SL_STATE_DB_NAME   "state.db"
#define SL_STATE_BUSY_MS   5000
#define SL_STATE_MAX_SCOPE 512 /* bytes */

/* data_dir must exist. scope: 1 to SL_STATE_MAX_SCOPE bytes, copied. NULL: err is SL_E_STATE (cannot be
 * opened or written), SL_E_VERSION (written by a newer sluice), SL_E_RANGE (scope). */
sl_state *sl_state_open(const char *data_dir, sl_span scope, sl_err *err);
/* Drops what was not committed. NULL is fine. */
void sl_state_close(sl_state *state);

/* Every value of every scope, in order of scope and key, without changing or checking anything: for `sluice
 * state`. fn returns false to stop. 0, SL_E_NOT_FOUND (no database in data_dir), SL_E_STATE. */
int sl_state_each_scope(const char *data_dir,
                        bool (*fn)(void *arg, sl_span scope, sl_span key, sl_span value), void *arg,
                        sl_err *err);

#endif
