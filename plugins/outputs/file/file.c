/* file.c: records as NDJSON into a file that is rotated by size and age.
 *
 * The file being written is always plain text at `path`. Each request is one write; a write that fails
 * half-way is cut off again, so that the file holds whole lines only. Requests go one after another. The file
 * is this output's alone: it holds a lock (flock) on it. What others do to it all the same, moving, removing
 * or cutting it, is noticed before each write.
 */
#include "file_int.h"
#include <errno.h>
#include <sluice/fault.h>
#include <stdlib.h>
#include <sys/file.h>

typedef struct file_output {
    sl_output *out;
    const file_conf *conf;
    file_written *written;
    int fd; /* -1: not open */
    uint64_t size;
    int64_t opened_ns; /* wall: of the first record after opening or rotation */
    sl_timer *tick;    /* for what age demands while no records come */
    sl_log_limit tick_limit;
    sl_buf body;
} file_output;

static const char *const compress_names[] = {"none", "gzip", "zstd", NULL};

static const sl_option rotate_options[] = {
    {"size", SL_OPT_SIZE, offsetof(file_conf, rotate.size) - offsetof(file_conf, rotate), .def = "100MiB",
     .min = 4096, .max = 1e15, .help = "A file that has grown to this is rotated."},
    {"age", SL_OPT_DURATION, offsetof(file_conf, rotate.age_ns) - offsetof(file_conf, rotate), .def = "1d",
     .min = 1e9, .max = 1e18, .help = "A file this old is rotated."},
    {0}};

static const sl_option keep_options[] = {
    {"count", SL_OPT_INT, offsetof(file_conf, keep.count) - offsetof(file_conf, keep), .def = "0", .max = 1e6,
     .help = "At most this many rotated files; 0: any number."},
    {"size", SL_OPT_SIZE, offsetof(file_conf, keep.size) - offsetof(file_conf, keep), .def = "0", .max = 1e18,
     .help = "At most this many bytes of rotated files; 0: no limit."},
    {"age", SL_OPT_DURATION, offsetof(file_conf, keep.age_ns) - offsetof(file_conf, keep), .def = "0s",
     .max = 1e18, .help = "Rotated files older than this are removed; 0: never."},
    {0}};

static const sl_option options[] = {
    {"path", SL_OPT_STRING, offsetof(file_conf, path), .flags = SL_OPT_REQUIRED | SL_OPT_MAIN | SL_OPT_UNIQUE,
     .help = "The file to write, for this output alone. Folders that are missing are made."},
    {"rotate", SL_OPT_GROUP, offsetof(file_conf, rotate), .rows = rotate_options,
     .help = "When a new file is begun."},
    {"compress", SL_OPT_ENUM, offsetof(file_conf, compress), .def = "none", .names = compress_names,
     .help = "How rotated files are compressed. The file being written is always plain."},
    {"keep", SL_OPT_GROUP, offsetof(file_conf, keep), .rows = keep_options,
     .help = "Which rotated files stay; all limits hold."},
    {"mode", SL_OPT_STRING, offsetof(file_conf, mode_text), .def = "\"0640\"",
     .help = "Permissions of new files, octal."},
    {"fsync", SL_OPT_BOOL, offsetof(file_conf, fsync), .def = "false",
     .help = "Sync the file to the disk before records count as delivered."},
    {0}};

/* ---- the open file ---- */

static void close_file(file_output *self)
{
    if (self->fd >= 0) sl_fs_close(self->fd);
    self->fd = -1;
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash) return sl_strdup(".");
    return sl_strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

static int make_folder(const char *path)
{
    char *folder = folder_of(path);
    int rc = sl_fs_mkdirs(folder, 0755);
    sl_free(folder);
    return rc;
}

static int sync_folder(const char *path)
{
    char *folder = folder_of(path);
    int rc = sl_fs_sync_dir(folder);
    sl_free(folder);
    return rc;
}

static int cut_what_was_not_noted(file_output *self, struct stat *st)
{
    int64_t at = file_written_cut(self->written, st);
    if (at < 0) return 0;
    int rc = sl_fs_ftruncate(self->fd, at);
    if (rc == 0) st->st_size = at;
    return rc;
}

/* Whether the path still leads to what is open. */
static bool leads_to(const char *path, const struct stat *open)
{
    struct stat st;
    return sl_fs_stat(path, &st) == 0 && st.st_dev == open->st_dev && st.st_ino == open->st_ino;
}

/* Two that write one file would rotate and cut away each other's records. A file system without locks is
 * taken on trust. */
static int claim(file_output *self, const struct stat *st, sl_err *err)
{
    const char *path = self->conf->path.ptr;
    if (!S_ISREG(st->st_mode))
        return sl_err_set(err, SL_E_CONFIG,
                          "%s is no regular file: name one, or use the output `stdout` or `null`", path);
    if (sl_fs_flock(self->fd, LOCK_EX | LOCK_NB) == -EWOULDBLOCK)
        return sl_err_set(err, SL_E_LOCKED,
                          "%s is written by another output or another process: give each a file of its own",
                          path);
    if (!leads_to(path, st)) /* whoever had it has rotated it meanwhile */
        return sl_err_set(err, SL_E_AGAIN, "%s was replaced while it was opened", path);
    return 0;
}

/* Not waiting: a FIFO without a reader would keep this loop, and with it the agent, for ever. */
static int open_it(file_output *self, struct stat *st)
{
    const char *path = self->conf->path.ptr;
    int rc = make_folder(path);
    if (rc == 0)
        rc = self->fd =
            sl_fs_open(path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY, (mode_t)self->conf->mode);
    return rc < 0 ? rc : sl_fs_fstat(self->fd, st);
}

/* When the file was begun: by somebody else perhaps, or by this output before a restart. */
static int64_t begun_ns(int fd, const struct stat *st)
{
    int64_t birth = sl_fs_birth_ns(fd);
    return birth > 0 ? birth : (int64_t)st->st_mtime * SL_NS_PER_S;
}

static int try_to_open(file_output *self, sl_err *err)
{
    struct stat st;
    int rc = open_it(self, &st);
    if (rc < 0) return sl_err_sys(err, -rc, "cannot open %s for writing", self->conf->path.ptr);
    rc = claim(self, &st, err);
    if (rc < 0) return rc;
    rc = cut_what_was_not_noted(self, &st);
    if (rc == 0 && self->conf->fsync) rc = sync_folder(self->conf->path.ptr);
    if (rc < 0) return sl_err_sys(err, -rc, "cannot open %s for writing", self->conf->path.ptr);
    self->size = (uint64_t)st.st_size;
    self->opened_ns = self->size ? begun_ns(self->fd, &st) : 0;
    return file_written_begin(self->written, &st, err);
}

static int open_file(file_output *self, sl_err *err)
{
    int rc = try_to_open(self, err);
    if (rc < 0) close_file(self);
    return rc;
}

/* What is open is not what the path leads to any more when somebody has moved or removed it: what would be
 * written there, nobody might ever find. Somebody may also have cut it. */
static int look_after(file_output *self, sl_err *err)
{
    struct stat st;
    if (self->fd < 0) return open_file(self, err);
    int rc = sl_fs_fstat(self->fd, &st);
    if (rc < 0) return sl_err_sys(err, -rc, "cannot look at %s", self->conf->path.ptr);
    if (leads_to(self->conf->path.ptr, &st)) {
        self->size = (uint64_t)st.st_size;
        return 0;
    }
    sl_warn(sl_output_name(self->out), "%s was moved or removed by somebody else: beginning a new one",
            self->conf->path.ptr);
    close_file(self);
    return open_file(self, err);
}

static bool is_due(const file_output *self)
{
    if (self->size == 0) return false;
    return self->size >= self->conf->rotate.size ||
           sl_clock_wall_ns() - self->opened_ns >= self->conf->rotate.age_ns;
}

/* What fails here is only housekeeping: it is said, and tried again at the next rotation. */
static void tidy(file_output *self)
{
    sl_err err = SL_ERR_NONE;
    if (file_old_tidy(self->conf, &err) < 0) sl_warn(sl_output_name(self->out), "%s", err.text);
}

static int rotate(file_output *self, sl_err *err)
{
    int rc = file_old_rotate(self->conf, err);
    if (rc < 0) return rc;
    close_file(self); /* not before: it is this output's as long as it is open */
    SL_FAULT(OUTPUT_ROTATED);
    tidy(self);
    return open_file(self, err);
}

/* ---- age ---- */

#define TICK_MIN_NS SL_NS_PER_S
#define TICK_MAX_NS (60 * SL_NS_PER_S)

static int rotate_if_due(file_output *self, sl_err *err)
{
    struct stat st;
    if (self->fd < 0 && sl_fs_stat(self->conf->path.ptr, &st) < 0) return 0; /* nothing was written yet */
    int rc = look_after(self, err);
    return rc == 0 && is_due(self) ? rotate(self, err) : rc;
}

/* A file that nothing is added to grows old all the same, and so do the rotated ones. */
static void on_tick(void *arg)
{
    file_output *self = arg;
    sl_err err = SL_ERR_NONE;
    if (rotate_if_due(self, &err) < 0)
        sl_log_limited(&self->tick_limit, SL_LOG_WARN, sl_output_name(self->out), "%s", err.text);
    if (self->conf->keep.age_ns) tidy(self);
}

static int64_t tick_of(const file_conf *conf)
{
    int64_t age = conf->rotate.age_ns;
    if (conf->keep.age_ns && conf->keep.age_ns < age) age = conf->keep.age_ns;
    age /= 4;
    return age < TICK_MIN_NS ? TICK_MIN_NS : age > TICK_MAX_NS ? TICK_MAX_NS : age;
}

/* ---- writing ---- */

static void encode(file_output *self, const sl_request *req)
{
    sl_buf_clear(&self->body);
    for (uint32_t i = 0; i < req->count; i++) {
        if (file_written_has(self->written, req->recs[i])) continue;
        sl_record_write(req->recs[i].batch, req->recs[i].rec, &self->body);
        sl_buf_append_char(&self->body, '\n');
    }
}

static int append(file_output *self, sl_err *err)
{
    int rc = sl_fs_pwrite_all(self->fd, self->body.ptr, self->body.len, -1);
    if (rc == 0 && self->conf->fsync) rc = sl_fs_fdatasync(self->fd);
    if (rc == 0) {
        self->size += self->body.len;
        if (self->opened_ns == 0) self->opened_ns = sl_clock_wall_ns();
        return 0;
    }
    sl_err_sys(err, -rc, "cannot write to %s", self->conf->path.ptr);
    /* Half a line must not stay. Where even cutting fails, the file is closed and cut when it is opened
     * again. */
    if (sl_fs_ftruncate(self->fd, (off_t)self->size) < 0) close_file(self);
    return err->code;
}

static int write_request(file_output *self, const sl_request *req, sl_err *err)
{
    int rc = look_after(self, err);
    if (rc == 0 && is_due(self)) rc = rotate(self, err);
    if (rc < 0) return rc;
    encode(self, req);
    rc = self->body.len ? append(self, err) : 0;
    if (rc < 0) return rc;
    SL_FAULT(OUTPUT_WRITTEN);
    struct stat st;
    rc = sl_fs_fstat(self->fd, &st);
    if (rc < 0) {
        close_file(self); /* written but not noted: cut when it is opened again, as after a kill */
        return sl_err_sys(err, -rc, "cannot look at %s", self->conf->path.ptr);
    }
    rc = file_written_commit(self->written, req, &st, err);
    if (rc == 0) SL_FAULT(OUTPUT_NOTED);
    return rc;
}

static void file_send(void *arg, sl_request *req)
{
    file_output *self = arg;
    sl_verdict verdict;
    sl_err err = SL_ERR_NONE;
    sl_verdict_init(&verdict, req);
    if (write_request(self, req, &err) < 0) sl_verdict_set(&verdict, SL_VERDICT_RETRY, "%s", err.text);
    sl_request_done(self->out, req, &verdict);
}

/* ---- life ---- */

static void file_free(void *arg)
{
    file_output *self = arg;
    sl_timer_free(self->tick);
    close_file(self);
    file_written_free(self->written);
    sl_buf_release(&self->body);
    sl_free(self);
}

static void *file_start(sl_output *out, const void *conf, sl_err *err)
{
    file_output *self = sl_calloc(1, sizeof *self);
    self->out = out;
    self->conf = conf;
    self->fd = -1;
    sl_state *state = sl_output_state(out, err);
    if (state) self->written = file_written_load(state, err);
    if (!self->written) {
        file_free(self);
        return NULL;
    }
    tidy(self);
    self->tick = sl_timer_new(sl_output_loop(out), on_tick, self);
    sl_timer_start(self->tick, tick_of(conf), tick_of(conf));
    return self;
}

static int check_path(sl_span path, sl_err *err)
{
    if (!path.len || path.ptr[path.len - 1] == '/' || memchr(path.ptr, '\0', path.len))
        return sl_err_set(err, SL_E_CONFIG, "option `path`: it must end in the name of a file");
    if (sl_span_find(path, SL_SPAN("{{"), 0) < path.len)
        return sl_err_set(
            err, SL_E_CONFIG,
            "option `path`: it is one file, without fields of records: use several outputs with "
            "`when`");
    return 0;
}

static int file_check(void *arg, sl_err *err)
{
    file_conf *conf = arg;
    int rc = check_path(conf->path, err);
    if (rc < 0) return rc;
    char *end;
    long mode = strtol(conf->mode_text.ptr, &end, 8);
    if (conf->mode_text.len == 0 || *end || mode < 0 || mode > 0777)
        return sl_err_set(err, SL_E_CONFIG, "option `mode`: %s is no octal number from 0 to 0777",
                          conf->mode_text.ptr);
    conf->mode = (mode_t)mode;
    return 0;
}

/* The folder, or the nearest above it that is there, must let one be made. */
static int check_folder(const char *path, sl_err *err)
{
    struct stat st;
    char *folder = folder_of(path);
    int rc = sl_fs_stat(folder, &st);
    if (rc == -ENOENT && strcmp(folder, path) != 0)
        rc = check_folder(folder, err);
    else if (rc == 0 && faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) < 0)
        rc = sl_err_sys(err, errno, "cannot make %s in %s", path, folder);
    else if (rc < 0)
        rc = sl_err_sys(err, -rc, "cannot look at %s", folder);
    sl_free(folder);
    return rc;
}

static int file_connect(const void *arg, sl_err *err)
{
    const char *path = ((const file_conf *)arg)->path.ptr;
    int fd = sl_fs_open(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY, 0);
    if (fd == -ENOENT) return check_folder(path, err);
    if (fd < 0) return sl_err_sys(err, -fd, "cannot open %s for writing", path);
    sl_fs_close(fd);
    return 0;
}

static const sl_output_ops ops = {
    .start = file_start,
    .send = file_send,
    .connect = file_connect,
    .free = file_free,
    .max_in_flight = 1,
};

const sl_plugin sl_output_file = {
    .abi = SL_ABI_VERSION,
    .kind = SL_PLUGIN_OUTPUT,
    .name = "file",
    .help = "Writes records to a file, one JSON object a line; rotates, compresses and keeps old files by "
            "count, size and age.",
    .options = options,
    .conf_size = sizeof(file_conf),
    .check = file_check,
    .output = &ops,
};
