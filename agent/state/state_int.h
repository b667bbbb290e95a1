/* state_int.h: shared inside state/: the SQLite connection. */
#ifndef SLUICE_STATE_INT_H
#define SLUICE_STATE_INT_H

#include <sluice/base.h>
#include <sqlite3.h>

/* Sets err to SL_E_STATE with what SQLite says; returns the code. */
int sl_state__error(sl_err *err, sqlite3 *db, const char *what);
/* Runs statements that return nothing. 0 or SL_E_STATE. */
int sl_state__run(sqlite3 *db, const char *sql, sl_err *err);

/* Opens data_dir's database, checked and migrated; a damaged one is set aside first (state_db.h). NULL: err.
 */
sqlite3 *sl_state__open_checked(const char *data_dir, sl_err *err);
/* As it is. 0 and *db, or SL_E_NOT_FOUND, SL_E_STATE. */
int sl_state__open_readonly(const char *data_dir, sqlite3 **db, sl_err *err);

/* ---- state_log.c: after a sync that failed ---- */

/* Does SQLite's checkpoints for this connection, and hears when their syncs fail. */
void sl_state__watch_log(sqlite3 *db);
void sl_state__checkpoint(sqlite3 *db);
/* Counts the failure if it is one of a sync; `code` is an extended one. */
void sl_state__note_failure(int code);
/* How many syncs of this process have failed so far. Any thread. */
uint64_t sl_state__failed_syncs(void);
/* Inside a write transaction: writes the log again and syncs it. False: that failed, too. */
bool sl_state__rewrite_log(sqlite3 *db);

#endif
