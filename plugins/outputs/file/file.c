/* file.c: records as NDJSON into a file that is rotated by size and age.
 *
 * The file being written is always plain text at `path`. Each request is one write; a write that fails
 * half-way is cut off again, so that the file holds whole lines only. Requests go one after another.
 */
#include "file_int.h"
#include <sluice/fault.h>
#include <stdlib.h>

typedef struct file_output {
    sl_output *out;
    const file_conf *conf;
    file_written *written;
    int fd; /* -1: not open */
    uint64_t size;
    int64_t opened_ns; /* wall: of the first record after opening or rotation */
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
    {"path", SL_OPT_STRING, offsetof(file_conf, path), .flags = SL_OPT_REQUIRED | SL_OPT_MAIN,
     .help = "The file to write. Folders that are missing are made."},
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

static int make_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path) return 0;
    char *folder = sl_strndup(path, (size_t)(slash - path));
    int rc = sl_fs_mkdirs(folder, 0755);
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

static void close_file(file_output *self)
{
    if (self->fd >= 0) sl_fs_close(self->fd);
    self->fd = -1;
}

static int open_and_cut(file_output *self, struct stat *st)
{
    const char *path = self->conf->path.ptr;
    int rc = make_folder(path);
    if (rc == 0) rc = self->fd = sl_fs_open(path, O_WRONLY | O_CREAT | O_APPEND, (mode_t)self->conf->mode);
    if (rc >= 0) rc = sl_fs_fstat(self->fd, st);
    return rc == 0 ? cut_what_was_not_noted(self, st) : rc;
}

static int open_file(file_output *self, sl_err *err)
{
    struct stat st;
    int rc = open_and_cut(self, &st);
    if (rc < 0)
        sl_err_sys(err, -rc, "cannot open %s for writing", self->conf->path.ptr);
    else
        rc = file_written_begin(self->written, &st, err);
    if (rc < 0) {
        close_file(self);
        return err->code;
    }
    self->size = (uint64_t)st.st_size;
    self->opened_ns = self->size ? (int64_t)st.st_mtime * SL_NS_PER_S : 0;
    return 0;
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
    close_file(self);
    int rc = file_old_rotate(self->conf, err);
    if (rc < 0) return rc;
    SL_FAULT(OUTPUT_ROTATED);
    tidy(self);
    return open_file(self, err);
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
    int rc = self->fd < 0 ? open_file(self, err) : 0;
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
    self->written = file_written_load(sl_output_state(out), err);
    if (!self->written) {
        file_free(self);
        return NULL;
    }
    tidy(self);
    return self;
}

static int file_check(void *arg, sl_err *err)
{
    file_conf *conf = arg;
    char *end;
    long mode = strtol(conf->mode_text.ptr, &end, 8);
    if (conf->mode_text.len == 0 || *end || mode < 0 || mode > 0777)
        return sl_err_set(err, SL_E_CONFIG, "option `mode`: %s is no octal number from 0 to 0777",
                          conf->mode_text.ptr);
    conf->mode = (mode_t)mode;
    return 0;
}

static const sl_output_ops ops = {
    .start = file_start,
    .send = file_send,
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
