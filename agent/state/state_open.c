/* state_open.c: opens state.db: check, set a damaged one aside, bring the schema up to date.
 *
 * Checking, setting aside and migrating happen under a lock file of their own, so that two handles opened at
 * the same time neither both set it aside nor both migrate it.
 */
#include "state_db.h"
#include "state_int.h"
#include <errno.h>
#include <sluice/fs.h>
#include <sluice/logger.h>
#include <stdio.h>
#include <sys/file.h>
#include <time.h>

#define COMPONENT "state"

/* Step i brings user_version i to i + 1. Steps are never changed once released, only added. */
static const char *const migrations[] = {
    "CREATE TABLE state (scope BLOB NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, PRIMARY KEY (scope, "
    "key))"
    " WITHOUT ROWID;"
    "CREATE TABLE touched (times INTEGER NOT NULL);"
    "INSERT INTO touched VALUES (0);",
};

static char *path_in(const char *data_dir, const char *suffix)
{
    sl_buf path = SL_BUF_NONE;
    sl_buf_printf(&path, "%s/" SL_STATE_DB_NAME "%s", data_dir, suffix);
    sl_buf_cstr(&path);
    return path.ptr;
}

/* True and *value when the statement gives a row with an integer; text that is not one reads as 0. */
static bool query_int(sqlite3 *db, const char *sql, int *value)
{
    sqlite3_stmt *stmt = NULL;
    bool ok = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW;
    if (ok) *value = sqlite3_column_int(stmt, 0);
    sqlite3_finalize(stmt);
    return ok;
}

static bool is_sound(sqlite3 *db)
{
    sqlite3_stmt *stmt = NULL;
    bool ok = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &stmt, NULL) == SQLITE_OK &&
              sqlite3_step(stmt) == SQLITE_ROW;
    if (ok) ok = strcmp((const char *)sqlite3_column_text(stmt, 0), "ok") == 0;
    sqlite3_finalize(stmt);
    return ok;
}

/* Damage is told apart from trouble (no space, no permission), which setting aside would not mend. */
static bool is_damage(sqlite3 *db)
{
    int code = sqlite3_errcode(db) & 0xff;
    return code == SQLITE_CORRUPT || code == SQLITE_NOTADB || code == SQLITE_OK || code == SQLITE_ROW ||
           code == SQLITE_DONE;
}

static void move_aside(const char *data_dir, const char *suffix, const char *stamp)
{
    sl_buf to = SL_BUF_NONE;
    sl_buf_printf(&to, "%s/" SL_STATE_DB_NAME ".damaged-%s%s", data_dir, stamp, suffix);
    char *from = path_in(data_dir, suffix);
    int rc = sl_fs_rename(from, sl_buf_cstr(&to));
    if (rc < 0 && rc != -ENOENT) sl_error(COMPONENT, "%s cannot be set aside: %s", from, strerror(-rc));
    sl_free(from);
    sl_buf_release(&to);
}

static void set_aside(const char *data_dir)
{
    char stamp[48];
    int64_t now = sl_clock_wall_ns();
    time_t s = (time_t)(now / SL_NS_PER_S);
    struct tm tm;
    gmtime_r(&s, &tm);
    size_t n = strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%S", &tm);
    snprintf(stamp + n, sizeof stamp - n, ".%09dZ", (int)(now % SL_NS_PER_S));
    sl_error(COMPONENT,
             "%s/" SL_STATE_DB_NAME " is damaged and was set aside as " SL_STATE_DB_NAME
             ".damaged-%s; a new one is started: files are read again from where `read_from` says, "
             "their records may arrive twice",
             data_dir, stamp);
    move_aside(data_dir, "", stamp);
    move_aside(data_dir, "-wal", stamp);
    char *shm = path_in(data_dir, "-shm");
    sl_fs_unlink(shm);
    sl_free(shm);
}

static int migrate(sqlite3 *db, sl_err *err)
{
    int version;
    if (!query_int(db, "PRAGMA user_version", &version))
        return sl_state__error(err, db, "the state database cannot be read");
    if (version < 0 || version > (int)SL_LEN(migrations))
        return sl_err_set(
            err, SL_E_VERSION,
            "the state database has format %d, this sluice knows up to %d: run the newer sluice, or "
            "move state.db away and read all files anew",
            version, (int)SL_LEN(migrations));
    for (; version < (int)SL_LEN(migrations); version++) {
        sl_buf sql = SL_BUF_NONE;
        sl_buf_printf(&sql, "BEGIN IMMEDIATE; %s PRAGMA user_version = %d; COMMIT;", migrations[version],
                      version + 1);
        int rc = sl_state__run(db, sl_buf_cstr(&sql), err);
        sl_buf_release(&sql);
        if (rc < 0) {
            if (!sqlite3_get_autocommit(db)) sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
            return rc;
        }
    }
    return 0;
}

/* One try. NULL with *damaged: what is there is no sound database. */
static sqlite3 *try_open(const char *path, bool *damaged, sl_err *err)
{
    sqlite3 *db = NULL;
    *damaged = false;
    int rc =
        sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK) {
        sqlite3_extended_result_codes(db, 1);
        sqlite3_busy_timeout(db, SL_STATE_BUSY_MS);
        /* Only to look at what is there: the mode is set once the file is known to be sound. */
        if (is_sound(db)) {
            if (sl_state__run(db, "PRAGMA journal_mode = WAL", err) == 0 && migrate(db, err) == 0) return db;
            *damaged = err->code == SL_E_STATE && (sqlite3_errcode(db) & 0xff) == SQLITE_CORRUPT;
        } else {
            *damaged = is_damage(db);
            sl_state__error(err, db, "the state database cannot be opened");
        }
    } else {
        sl_err_set(err, SL_E_STATE, "%s cannot be opened: %s; look at the permissions of data_dir", path,
                   db ? sqlite3_errmsg(db) : "out of memory");
        err->sys = db ? sqlite3_system_errno(db) : ENOMEM;
    }
    sqlite3_close(db);
    return NULL;
}

static sqlite3 *open_locked(const char *data_dir, sl_err *err)
{
    char *path = path_in(data_dir, "");
    bool damaged;
    sqlite3 *db = try_open(path, &damaged, err);
    if (!db && damaged) {
        set_aside(data_dir);
        db = try_open(path, &damaged, err);
    }
    if (db) *err = (sl_err)SL_ERR_NONE;
    sl_free(path);
    return db;
}

sqlite3 *sl_state__open_checked(const char *data_dir, sl_err *err)
{
    sl_err own = SL_ERR_NONE;
    if (!err) err = &own;
    char *lock_path = path_in(data_dir, ".lock");
    int lock = sl_fs_open(lock_path, O_RDWR | O_CREAT, 0600);
    int rc = lock < 0 ? lock : sl_fs_flock(lock, LOCK_EX);
    sqlite3 *db = NULL;
    if (rc < 0) {
        sl_err_set(err, SL_E_STATE, "%s cannot be locked: %s; data_dir must exist and be writable", lock_path,
                   strerror(-rc));
        err->sys = -rc;
    } else {
        db = open_locked(data_dir, err);
    }
    if (lock >= 0) sl_fs_close(lock);
    sl_free(lock_path);
    return db;
}

int sl_state__open_readonly(const char *data_dir, sqlite3 **db, sl_err *err)
{
    char *path = path_in(data_dir, "");
    struct stat st;
    int rc = sl_fs_stat(path, &st);
    if (rc < 0) {
        rc = sl_err_set(err, rc == -ENOENT ? SL_E_NOT_FOUND : SL_E_STATE, "%s cannot be opened: %s", path,
                        strerror(-rc));
    } else if (sqlite3_open_v2(path, db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
        rc = sl_state__error(err, *db, "the state database cannot be opened");
        sqlite3_close(*db);
    } else {
        sqlite3_busy_timeout(*db, SL_STATE_BUSY_MS);
    }
    sl_free(path);
    return rc;
}
