/* siblings.c: what else is in the folder of a file: its new name after a rename, its copy after a truncation,
 * and the files that had its old name in between. */
#include "tail_int.h"
#include <errno.h>

static sl_span folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return (sl_span){path, slash ? (size_t)(slash - path) : 0};
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

#define MAX_LISTINGS 5 /* of a folder whose names do not come to rest */

typedef void sibling_fn(tail *t, const char *sibling, const struct stat *st, ino_t ino, void *arg);

/* name: the folder's in its first len bytes, with room for those of its entries. True: it changed meanwhile. */
static bool list(tail *t, DIR *dir, char *name, size_t len, sibling_fn *fn, void *arg)
{
    struct stat before, after;
    const char *folder = len ? name : "/";
    if (sl_fs_stat(folder, &before) < 0) return false;
    name[len] = '/';
    struct dirent *entry;
    for (size_t n = 0; n < TAIL_MAX_SIBLINGS && (entry = sl_fs_readdir(dir)); n++) {
        size_t entry_len = strlen(entry->d_name);
        if (entry->d_name[0] == '.' || len + 1 + entry_len >= TAIL_MAX_PATH) continue;
        memcpy(name + len + 1, entry->d_name, entry_len + 1);
        fn(t, name, &before, entry->d_ino, arg);
    }
    name[len] = '\0';
    return sl_fs_stat(folder, &after) == 0 && tail_mtime_ns(&after) != tail_mtime_ns(&before);
}

void tail_each_sibling(tail *t, const char *path, sibling_fn *fn, void *arg)
{
    char name[TAIL_MAX_PATH];
    sl_span folder = folder_of(path);
    if (folder.len + 2 >= sizeof name) return;
    memcpy(name, folder.ptr, folder.len);
    name[folder.len] = '\0';
    bool changed = true;
    for (int i = 0; i < MAX_LISTINGS && changed; i++) {
        DIR *dir = sl_fs_opendir(folder.len ? name : "/");
        if (!dir) return; /* gone, or not to be read: nothing to be found there */
        changed = list(t, dir, name, folder.len, fn, arg);
        sl_fs_closedir(dir);
    }
}

/* ---- names of rotated files ---- */

#define MIN_STAMP 8 /* digits before an extension: `app1.log` may be a log of its own */

/* Where a run of digits and what joins them begins that ends at `end`; `end` when there is none. */
static size_t run_start(const char *path, size_t name, size_t end, size_t *digits)
{
    size_t at = end;
    *digits = 0;
    while (at > name && strchr("0123456789.:_T-", path[at - 1]))
        *digits += path[--at] >= '0' && path[at] <= '9';
    return at > name && at < end && strchr(".-_", path[at]) ? at : end;
}

char *tail_rotated_from(const char *path)
{
    size_t name = (size_t)(name_of(path) - path), end = strlen(path), digits;
    const char *dot = strrchr(path + name, '.');
    size_t at = run_start(path, name, end, &digits);
    if (at == end && dot) {
        end = (size_t)(dot - path);
        at = run_start(path, name, end, &digits);
        if (digits < MIN_STAMP) at = end;
    }
    if (at == end) return NULL;
    sl_buf from = SL_BUF_NONE;
    sl_buf_append(&from, path, at);
    sl_buf_append_cstr(&from, path + end);
    char *text = sl_strdup(sl_buf_cstr(&from));
    sl_buf_release(&from);
    return text;
}

bool tail_looks_rotated(const tail *t, const tail_file *f)
{
    char *base = tail_rotated_from(f->path);
    if (!base) return false;
    struct stat st;
    /* A link to this very file has the name without the stamp while it is written to. */
    bool there = sl_fs_stat(base, &st) == 0 && S_ISREG(st.st_mode);
    bool rotated = there ? st.st_ino != f->ino || st.st_dev != f->dev : tail_knows_path(t, base);
    sl_free(base);
    return rotated;
}

/* ---- renamed ---- */

static void on_maybe_renamed(tail *t, const char *sibling, const struct stat *folder, ino_t ino, void *arg)
{
    (void)arg;
    tail_file *f = tail_find_inode(t, folder->st_dev, ino);
    if (!f) return;
    struct stat st;
    if (tail_has_inode(f)) {
        if (f->lost_path && sl_fs_stat(sibling, &st) == 0 && st.st_ino == f->ino && st.st_dev == f->dev)
            tail_renamed(t, f, sibling);
    } else {
        tail_meet_unseen(t, f, sibling);
    }
}

void tail_find_renamed(tail *t, const char *path)
{
    sl_span folder = folder_of(path);
    uint64_t key = tail_hash(folder.ptr, folder.len);
    size_t at = 0;
    if (tail_index_next(&t->searched, key, &at)) return;
    tail_index_add(&t->searched, key, t);
    tail_each_sibling(t, path, on_maybe_renamed, NULL);
}

/* ---- rotated unseen ---- */

/* Of the known generations that were rotated away from a name, one was written to last. What was rotated away
 * from there later, and is not known, came between it and the present one. Where none is known, what was
 * written to since the scan before was not there then. */

static int64_t came_after(const tail *t, const char *path)
{
    int64_t newest = tail_newest_rotated(t, path);
    return newest || !t->scanning ? newest : tail_folder_last_seen(t, path);
}

static void on_maybe_between(tail *t, const char *sibling, const struct stat *folder, ino_t ino, void *arg)
{
    const char *only = arg; /* NULL: any */
    if (tail_find_inode(t, folder->st_dev, ino)) return;
    char *base = tail_rotated_from(sibling); /* none: `.gz` and its kin are left alone */
    struct stat st;
    int64_t after =
        base && (!only || strcmp(base, only) == 0) && tail_is_wanted(t, base) ? came_after(t, base) : 0;
    sl_free(base);
    if (!after || tail_globs_match(t->conf->unwanted, sibling) || sl_fs_lstat(sibling, &st) < 0) return;
    /* An empty one was rotated before it was written to: its writer may not have noticed yet. */
    if (S_ISREG(st.st_mode) && (st.st_size == 0 || tail_mtime_ns(&st) >= after)) tail_meet(t, sibling, true);
}

void tail_meet_rotated(tail *t, const char *path)
{
    if (came_after(t, path)) tail_each_sibling(t, path, on_maybe_between, (void *)(uintptr_t)path);
}

void tail_meet_between(tail *t, const tail_file *f)
{
    char *base = tail_rotated_from(f->path);
    if (base) tail_meet_rotated(t, base);
    sl_free(base);
}

void tail_meet_before(tail *t, const tail_file *f)
{
    int64_t newest = tail_newest_rotated(t, f->path);
    if (newest && f->born_ns <= newest) tail_meet_rotated(t, f->path);
}

void tail_meet_all_between(tail *t)
{
    tail_index folders = {NULL, 0, 0, 0};
    for (tail_link *at = t->files.next; at != &t->files; at = at->next) {
        const tail_file *f = TAIL_FILE(at, all);
        sl_span folder = folder_of(f->path);
        uint64_t key = tail_hash(folder.ptr, folder.len);
        size_t cursor = 0;
        if (!f->head.len || tail_index_next(&folders, key, &cursor)) continue;
        tail_index_add(&folders, key, t);
        char *path = sl_strdup(f->path);
        tail_each_sibling(t, path, on_maybe_between, NULL);
        sl_free(path);
    }
    tail_index_release(&folders);
}

/* ---- copies ---- */

typedef struct search {
    tail_file *original;
    bool found;
} search;

static void goes_on_in(tail *t, tail_file *f, const tail_suspect *s)
{
    tail_file_set_state(t, f, TAIL_FOLLOWED);
    tail_file_bind(t, f, &s->st, s->born_ns, s->fd);
    f->rotated = true;
    f->gen = t->gen;
    tail_renamed(t, f, s->path);
    tail_watch_file(t, f);
}

/* Unknown to us, so no pattern has led to it yet, and perhaps none does. */
static void on_maybe_copy(tail *t, const char *sibling, const struct stat *folder, ino_t ino, void *arg)
{
    search *look = arg;
    tail_suspect s;
    bool equal;
    if (look->found || tail_find_inode(t, folder->st_dev, ino)) return;
    if (sl_fs_stat(sibling, &s.st) < 0 || !S_ISREG(s.st.st_mode) ||
        (uint64_t)s.st.st_size < look->original->pos.off)
        return;
    int fd = tail_open(t, sibling, &s.st);
    if (fd < 0) return;
    const tail_head *head = &look->original->head;
    if (tail_suspect_read(&s, fd, sibling) == 0 && !tail_find_inode(t, s.st.st_dev, s.st.st_ino) &&
        s.head_len >= head->len && tail_hash(s.head, head->len) == head->hash &&
        tail_judge(t, &s, look->original, &equal) == TAIL_COPY_TAKE) {
        goes_on_in(t, look->original, &s);
        look->found = true;
    } else {
        sl_fs_close(fd);
    }
}

bool tail_find_copy(tail *t, tail_file *f)
{
    if (f->head.len == 0) return false;
    search look = {.original = f};
    char *old_path = sl_strdup(f->path);
    int64_t mtime_ns = f->mtime_ns;
    tail_each_sibling(t, old_path, on_maybe_copy, &look);
    if (look.found) {
        sl_counter_add(t->count.copies, 1);
        tail_log(t, TAIL_MSG_COPY, SL_LOG_INFO, "%s was truncated; it goes on at offset %llu in its copy %s",
                 old_path, (unsigned long long)f->pos.off, f->path);
        f->mtime_ns = mtime_ns > f->mtime_ns ? mtime_ns : f->mtime_ns;
        tail_meet_between(t, f);
    }
    sl_free(old_path);
    return look.found;
}
