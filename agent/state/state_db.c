/* state_db.c: handles on state.db: opening with checks and migrations, noted changes, commits.
 *
 * Invariants:
 *  - A handle holds no transaction between calls, so a slow user never blocks another.
 *  - Notes are applied in one transaction, in the order they were made, or not at all.
 *  - After a commit with durable set, everything committed before through this handle is on the disk too: the
 *    WAL is one file, synced whole. `unsynced` remembers commits that were not.
 *    After a failed sync that holds only once the WAL has been written again (state_log.c).
 *
 * SQLite does its own file access (the one exception to base/fs.c as the only door): its durability rests on
 * the exact calls its own code makes.
 */
#include "state_db.h"
#include "state_int.h"
#include <errno.h>
#include <sluice/fs.h>
#include <sluice/logger.h>
#include <stdio.h>
#include <time.h>

#define COMPONENT "state"
#define CACHE_KIB "256" /* a handle's page cache; values are few and small */

struct sl_state {
    sqlite3 *db;
    sqlite3_stmt *get, *put, *remove, *each;
    char *scope;
    size_t scope_len;
    sl_buf notes; /* changes to come: note, key bytes, value bytes; again and again */
    bool unsynced;
    uint64_t failed_syncs; /* of which the log has been mended */
};

/* A noted change. Followed by key_len and, unless it is a removal, value_len bytes. */
typedef struct note {
    uint32_t key_len;
    uint32_t value_len;
    bool removal;
} note;

/* SQLite forgets the errno of some failures, and keeps an old one beside others. */
static int errno_of(sqlite3 *db)
{
    int sys = sqlite3_system_errno(db);
    switch (sqlite3_errcode(db) & 0xff) {
    case SQLITE_FULL: return ENOSPC;
    case SQLITE_NOMEM: return ENOMEM;
    case SQLITE_BUSY: return EBUSY;
    case SQLITE_IOERR: return sys ? sys : EIO;
    case SQLITE_CANTOPEN: return sys;
    default: return 0;
    }
}

int sl_state__error(sl_err *err, sqlite3 *db, const char *what)
{
    sl_err_set(err, SL_E_STATE, "%s: %s; look at the disk and the permissions of data_dir", what,
               sqlite3_errmsg(db));
    if (err) err->sys = errno_of(db);
    return SL_E_STATE;
}

int sl_state__run(sqlite3 *db, const char *sql, sl_err *err)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK) return 0;
    return sl_state__error(err, db, "the state database cannot be used");
}

/* ---- opening ---- */

static int prepare(sl_state *state, sqlite3_stmt **stmt, const char *sql, sl_err *err)
{
    if (sqlite3_prepare_v3(state->db, sql, -1, SQLITE_PREPARE_PERSISTENT, stmt, NULL) == SQLITE_OK) return 0;
    return sl_state__error(err, state->db, "the state database cannot be read");
}

static int prepare_all(sl_state *state, sl_err *err)
{
    if (prepare(state, &state->get, "SELECT value FROM state WHERE scope = ?1 AND key = ?2", err) < 0 ||
        prepare(state, &state->put,
                "INSERT INTO state (scope, key, value) VALUES (?1, ?2, ?3) "
                "ON CONFLICT (scope, key) DO UPDATE SET value = excluded.value",
                err) < 0 ||
        prepare(state, &state->remove, "DELETE FROM state WHERE scope = ?1 AND key = ?2", err) < 0 ||
        prepare(state, &state->each, "SELECT key, value FROM state WHERE scope = ?1 ORDER BY key", err) < 0)
        return SL_E_STATE;
    return 0;
}

sl_state *sl_state_open(const char *data_dir, sl_span scope, sl_err *err)
{
    if (scope.len == 0 || scope.len > SL_STATE_MAX_SCOPE) {
        sl_err_set(err, SL_E_RANGE, "a scope of the state database must have 1 to %d bytes",
                   SL_STATE_MAX_SCOPE);
        return NULL;
    }
    sqlite3 *db = sl_state__open_checked(data_dir, err);
    if (!db) return NULL;
    sl_state *state = sl_calloc(1, sizeof *state);
    state->db = db;
    sl_state__watch_log(db);
    state->scope = sl_strndup(scope.ptr, scope.len);
    state->scope_len = scope.len;
    if (sl_state__run(db, "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -" CACHE_KIB, err) < 0 ||
        prepare_all(state, err) < 0) {
        sl_state_close(state);
        return NULL;
    }
    return state;
}

void sl_state_close(sl_state *state)
{
    if (!state) return;
    sqlite3_finalize(state->get);
    sqlite3_finalize(state->put);
    sqlite3_finalize(state->remove);
    sqlite3_finalize(state->each);
    sl_state__checkpoint(state->db); /* closing does it too, but forgets what came of it */
    sqlite3_close(state->db);
    sl_buf_release(&state->notes);
    sl_free(state->scope);
    sl_free(state);
}

/* ---- reading ---- */

static void bind_key(sl_state *state, sqlite3_stmt *stmt, sl_span key)
{
    sqlite3_bind_blob(stmt, 1, state->scope, (int)state->scope_len, SQLITE_STATIC);
    sqlite3_bind_blob(stmt, 2, key.ptr, (int)key.len, SQLITE_STATIC);
}

static sl_span column(sqlite3_stmt *stmt, int i)
{
    const void *ptr = sqlite3_column_blob(stmt, i); /* before the length: SQLite's rule */
    return (sl_span){ptr ? ptr : "", (size_t)sqlite3_column_bytes(stmt, i)};
}

int sl_state_get(sl_state *state, sl_span key, sl_buf *value, sl_err *err)
{
    bind_key(state, state->get, key);
    int step = sqlite3_step(state->get);
    int rc = 0;
    if (step == SQLITE_ROW) {
        sl_buf_clear(value);
        sl_buf_append_span(value, column(state->get, 0));
    } else if (step == SQLITE_DONE) {
        rc = sl_err_set(err, SL_E_NOT_FOUND, "the state database has no such value");
    } else {
        rc = sl_state__error(err, state->db, "a value cannot be read from the state database");
    }
    sqlite3_reset(state->get);
    return rc;
}

int sl_state_each(sl_state *state, bool (*fn)(void *arg, sl_span key, sl_span value), void *arg, sl_err *err)
{
    sqlite3_stmt *stmt = state->each;
    sqlite3_bind_blob(stmt, 1, state->scope, (int)state->scope_len, SQLITE_STATIC);
    int step;
    bool go_on = true;
    while (go_on && (step = sqlite3_step(stmt)) == SQLITE_ROW)
        go_on = fn(arg, column(stmt, 0), column(stmt, 1));
    int rc = 0;
    if (go_on && step != SQLITE_DONE)
        rc = sl_state__error(err, state->db, "values cannot be read from the state database");
    sqlite3_reset(stmt);
    return rc;
}

int sl_state_each_scope(const char *data_dir,
                        bool (*fn)(void *arg, sl_span scope, sl_span key, sl_span value), void *arg,
                        sl_err *err)
{
    sqlite3 *db;
    int rc = sl_state__open_readonly(data_dir, &db, err);
    if (rc < 0) return rc;
    sqlite3_stmt *stmt = NULL;
    int step =
        sqlite3_prepare_v2(db, "SELECT scope, key, value FROM state ORDER BY scope, key", -1, &stmt, NULL);
    bool go_on = step == SQLITE_OK;
    while (go_on && (step = sqlite3_step(stmt)) == SQLITE_ROW)
        go_on = fn(arg, column(stmt, 0), column(stmt, 1), column(stmt, 2));
    if (step != SQLITE_DONE && step != SQLITE_ROW)
        rc = sl_state__error(err, db, "the state database cannot be read");
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return rc;
}

/* ---- writing ---- */

static int add_note(sl_state *state, note n, sl_span key, sl_span value, sl_err *err)
{
    if (key.len > SL_STATE_MAX_KEY || value.len > SL_STATE_MAX_VALUE)
        return sl_err_set(err, SL_E_RANGE,
                          "a value of the state database is too large (key %zu, value %zu bytes)", key.len,
                          value.len);
    sl_buf_append(&state->notes, &n, sizeof n);
    sl_buf_append_span(&state->notes, key);
    sl_buf_append_span(&state->notes, value);
    return 0;
}

int sl_state_put(sl_state *state, sl_span key, sl_span value, sl_err *err)
{
    note n = {.key_len = (uint32_t)key.len, .value_len = (uint32_t)value.len};
    return add_note(state, n, key, value, err);
}

int sl_state_remove(sl_state *state, sl_span key, sl_err *err)
{
    note n = {.key_len = (uint32_t)key.len, .removal = true};
    return add_note(state, n, key, SL_SPAN_NONE, err);
}

static bool apply_note(sl_state *state, const note *n, const char *bytes)
{
    sqlite3_stmt *stmt = n->removal ? state->remove : state->put;
    bind_key(state, stmt, (sl_span){bytes, n->key_len});
    if (!n->removal) sqlite3_bind_blob(stmt, 3, bytes + n->key_len, (int)n->value_len, SQLITE_STATIC);
    bool done = sqlite3_step(stmt) == SQLITE_DONE;
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt);
    return done;
}

static bool apply_notes(sl_state *state)
{
    for (size_t at = 0; at < state->notes.len;) {
        note n;
        memcpy(&n, state->notes.ptr + at, sizeof n);
        at += sizeof n;
        if (!apply_note(state, &n, state->notes.ptr + at)) return false;
        at += (size_t)n.key_len + n.value_len;
    }
    return true;
}

/* A transaction needs at least one change to be written, and so to be synced. */
#define TOUCH "UPDATE touched SET times = times + 1"

/* Only what follows a mended log is believed to be on the disk. */
static bool mend_log(sl_state *state, sl_err *err)
{
    uint64_t failed = sl_state__failed_syncs();
    if (state->failed_syncs == failed) return true;
    if (!sl_state__rewrite_log(state->db)) {
        sl_err_set(err, SL_E_STATE,
                   "the state database's log cannot be written again after a failed sync; look at the disk");
        return false;
    }
    state->failed_syncs = failed;
    return true;
}

static bool write_changes(sl_state *state, bool touch)
{
    return apply_notes(state) && (!touch || sqlite3_exec(state->db, TOUCH, NULL, NULL, NULL) == SQLITE_OK) &&
           sqlite3_exec(state->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;
}

static int transact(sl_state *state, bool touch, sl_err *err)
{
    int rc = 0;
    if (sqlite3_exec(state->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        rc = sl_state__error(err, state->db, "the state database cannot be written");
    else if (!mend_log(state, err))
        rc = SL_E_STATE;
    else if (!write_changes(state, touch)) {
        sl_state__note_failure(sqlite3_extended_errcode(state->db));
        rc = sl_state__error(err, state->db, "changes cannot be written to the state database");
    }
    if (rc < 0 && !sqlite3_get_autocommit(state->db)) sqlite3_exec(state->db, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}

int sl_state_commit(sl_state *state, bool durable, sl_err *err)
{
    bool empty = state->notes.len == 0;
    if (empty && !(durable && state->unsynced)) return 0;
    if (durable) sqlite3_exec(state->db, "PRAGMA synchronous = FULL", NULL, NULL, NULL);
    int rc = transact(state, empty, err);
    if (durable) sqlite3_exec(state->db, "PRAGMA synchronous = NORMAL", NULL, NULL, NULL);
    if (rc < 0) return rc;
    state->unsynced = !durable;
    sl_buf_clear(&state->notes);
    return 0;
}
