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

void tail_each_sibling(tail *t, const char *path,
                       void (*fn)(tail *t, const char *sibling, const struct stat *st, ino_t ino, void *arg),
                       void *arg)
{
    char name[TAIL_MAX_PATH];
    sl_span folder = folder_of(path);
    if (folder.len + 2 >= sizeof name) return;
    memcpy(name, folder.ptr, folder.len);
    name[folder.len] = '\0';
    struct stat st;
    DIR *dir = sl_fs_opendir(folder.len ? name : "/");
    if (!dir) return; /* gone, or not to be read: nothing to be found there */
    if (sl_fs_stat(folder.len ? name : "/", &st) == 0) {
        name[folder.len] = '/';
        struct dirent *entry;
        for (size_t n = 0; n < TAIL_MAX_SIBLINGS && (entry = sl_fs_readdir(dir)); n++) {
            size_t len = strlen(entry->d_name);
            if (entry->d_name[0] == '.' || folder.len + 1 + len >= sizeof name) continue;
            memcpy(name + folder.len + 1, entry->d_name, len + 1);
            fn(t, name, &st, entry->d_ino, arg);
        }
    }
    sl_fs_closedir(dir);
}

/* ---- names of rotated files ---- */

size_t tail_rotated_suffix(const char *path)
{
    static const char suffix[] = "0123456789.:_T-";
    size_t len = strlen(path), name = (size_t)(name_of(path) - path), end = len;
    while (end > name && strchr(suffix, path[end - 1]))
        end--;
    return end == name || end == len || !strchr(".-_", path[end]) ? 0 : len - end;
}

bool tail_looks_rotated(const tail *t, const char *path)
{
    size_t suffix = tail_rotated_suffix(path);
    if (!suffix) return false;
    char *base = sl_strndup(path, strlen(path) - suffix);
    struct stat st;
    bool rotated = tail_knows_path(t, base) || (sl_fs_stat(base, &st) == 0 && S_ISREG(st.st_mode));
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

/* For each name that is followed, the generation of it that was written to last: by hash of the name. What
 * was rotated away from that name later, and is not known, came between it and the present one. */

static char *base_of(const char *path)
{
    return sl_strndup(path, strlen(path) - tail_rotated_suffix(path));
}

static tail_file *newest_of(const tail_index *newest, const char *base)
{
    size_t at = 0, len = strlen(base);
    for (tail_file *f; (f = tail_index_next(newest, tail_hash(base, len), &at));)
        if (strncmp(f->path, base, len) == 0 && strlen(f->path) - tail_rotated_suffix(f->path) == len)
            return f;
    return NULL;
}

static void take_newest(tail *t, tail_index *newest, tail_file *f)
{
    char *base = base_of(f->path);
    uint64_t key = tail_hash(base, strlen(base));
    tail_file *other = newest_of(newest, base);
    if (other && other->mtime_ns < f->mtime_ns) tail_index_remove(newest, key, other);
    if ((!other || other->mtime_ns < f->mtime_ns) && tail_is_wanted(t, base)) tail_index_add(newest, key, f);
    sl_free(base);
}

static void on_maybe_between(tail *t, const char *sibling, const struct stat *folder, ino_t ino, void *arg)
{
    /* `.gz` and its kin have no such suffix: they are left alone */
    if (!tail_rotated_suffix(sibling) || tail_find_inode(t, folder->st_dev, ino)) return;
    char *base = base_of(sibling);
    const tail_file *f = newest_of(arg, base);
    sl_free(base);
    struct stat st;
    if (!f || tail_globs_match(t->conf->unwanted, sibling) || sl_fs_lstat(sibling, &st) < 0) return;
    if (S_ISREG(st.st_mode) && tail_mtime_ns(&st) >= f->mtime_ns) tail_meet(t, sibling, true);
}

void tail_meet_between(tail *t, tail_file *f)
{
    tail_index newest = {NULL, 0, 0, 0};
    take_newest(t, &newest, f);
    if (newest.count && tail_rotated_suffix(f->path))
        tail_each_sibling(t, f->path, on_maybe_between, &newest);
    tail_index_release(&newest);
}

static void on_maybe_rotated(tail *t, const char *sibling, const struct stat *folder, ino_t ino, void *arg)
{
    tail_file *f = tail_find_inode(t, folder->st_dev, ino);
    if (f && f->head.len && tail_rotated_suffix(sibling)) take_newest(t, arg, f);
}

void tail_meet_rotated(tail *t, const char *path)
{
    tail_index newest = {NULL, 0, 0, 0};
    tail_each_sibling(t, path, on_maybe_rotated, &newest);
    if (newest.count) tail_each_sibling(t, path, on_maybe_between, &newest);
    tail_index_release(&newest);
}

void tail_meet_all_between(tail *t)
{
    tail_index newest = {NULL, 0, 0, 0}, folders = {NULL, 0, 0, 0};
    for (tail_link *at = t->files.next; at != &t->files; at = at->next)
        if (TAIL_FILE(at, all)->head.len) take_newest(t, &newest, TAIL_FILE(at, all));
    for (tail_link *at = t->files.next; at != &t->files; at = at->next) {
        const tail_file *f = TAIL_FILE(at, all);
        sl_span folder = folder_of(f->path);
        uint64_t key = tail_hash(folder.ptr, folder.len);
        size_t cursor = 0;
        if (!f->head.len || tail_index_next(&folders, key, &cursor)) continue;
        tail_index_add(&folders, key, t);
        char *path = sl_strdup(f->path);
        tail_each_sibling(t, path, on_maybe_between, &newest);
        sl_free(path);
    }
    tail_index_release(&newest);
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
