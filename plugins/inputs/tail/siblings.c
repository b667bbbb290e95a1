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

/* ---- between ---- */

typedef struct between {
    const char *old_name;
    int64_t since_ns; /* last write to the one that was renamed */
} between;

static bool is_compressed(sl_span name)
{
    static const char *const ends[] = {".gz", ".zst", ".xz", ".bz2", ".lz4", ".zip", ".Z", ".lzma", ".br"};
    for (size_t i = 0; i < SL_LEN(ends); i++)
        if (sl_span_ends_with(name, sl_span_of(ends[i]))) return true;
    return false;
}

static void on_maybe_between(tail *t, const char *sibling, const struct stat *folder, ino_t ino, void *arg)
{
    const between *b = arg;
    sl_span name = sl_span_of(name_of(sibling)), old_name = sl_span_of(b->old_name);
    if (name.len <= old_name.len || !sl_span_starts_with(name, old_name) || is_compressed(name)) return;
    if (tail_find_inode(t, folder->st_dev, ino) || tail_globs_match(t->conf->unwanted, sibling)) return;
    struct stat st;
    if (sl_fs_lstat(sibling, &st) < 0 || !S_ISREG(st.st_mode) || tail_mtime_ns(&st) < b->since_ns) return;
    tail_meet(t, sibling, true);
}

void tail_meet_between(tail *t, const tail_file *f, const char *old_path)
{
    between b = {.old_name = name_of(old_path), .since_ns = f->mtime_ns};
    sl_span was = folder_of(old_path), is = folder_of(f->path), name = sl_span_of(name_of(f->path));
    if (!sl_span_is(was, is) || name.len <= strlen(b.old_name) ||
        !sl_span_starts_with(name, sl_span_of(b.old_name)))
        return;
    tail_each_sibling(t, old_path, on_maybe_between, &b);
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
        tail_meet_between(t, f, old_path);
    }
    sl_free(old_path);
    return look.found;
}
