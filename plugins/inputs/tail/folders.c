/* folders.c: the folders whose names matter: their watches, or their times where nothing can be watched.
 *
 * A folder is kept once for each path that leads to it; paths that lead to the same one share its watch,
 * which goes with the last of them.
 */
#include "tail_int.h"
#include <errno.h>
#include <linux/magic.h>

#define FOLDER_MASK                                                                                          \
    (IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF |       \
     IN_ONLYDIR | IN_EXCL_UNLINK)
/* A folder's time is only as fine as its file system's clock: a change so soon after the last may not show.
 */
#define TIME_GRAIN_NS (2 * SL_NS_PER_S)

/* ---- what can be watched ---- */

/* Types not in every linux/magic.h, from the file systems' own sources. */
#define MAGIC_LUSTRE 0x0bd00bd0
#define MAGIC_GPFS   0x47504653
#define MAGIC_VBOXSF 0x786f4256

/* Changes made by another machine, by the host of a virtual one, or in a lower layer raise no event. */
static bool is_blind(int64_t magic)
{
    static const uint32_t blind[] = {
        NFS_SUPER_MAGIC, SMB_SUPER_MAGIC,  CIFS_SUPER_MAGIC,      SMB2_SUPER_MAGIC, FUSE_SUPER_MAGIC,
        V9FS_MAGIC,      CEPH_SUPER_MAGIC, OVERLAYFS_SUPER_MAGIC, AFS_SUPER_MAGIC,  CODA_SUPER_MAGIC,
        MAGIC_LUSTRE,    MAGIC_GPFS,       MAGIC_VBOXSF};
    for (size_t i = 0; i < SL_LEN(blind); i++)
        if (magic == (int64_t)blind[i]) return true;
    return false;
}

bool tail_is_watchable(tail *t, const char *path, dev_t dev)
{
    if (!t->watch) return false;
    if (t->conf->watch == TAIL_WATCH_INOTIFY) return true;
    for (size_t i = 0; i < t->n_devs; i++)
        if (t->devs[i].dev == dev) return t->devs[i].watchable;
    bool watchable = !is_blind(sl_fs_magic(path));
    if (t->n_devs == SL_LEN(t->devs)) t->n_devs = 0; /* a cache: start it anew */
    t->devs[t->n_devs].dev = dev;
    t->devs[t->n_devs++].watchable = watchable;
    if (!watchable && !t->poll_told) {
        t->poll_told = true;
        sl_info(
            sl_input_name(t->in),
            "%s is on a network or overlay file system, where changes cannot be watched: it is polled every "
            "%lld ms",
            path, (long long)(t->conf->poll_interval / SL_NS_PER_MS));
    }
    return watchable;
}

/* The id of a watch, or -1: then it is polled. */
static int add_watch(tail *t, const char *path, uint32_t mask)
{
    int id = sl_watch_add(t->watch, path, mask);
    if (id >= 0) return id;
    if (id == -ENOSPC && !t->watch_full) {
        t->watch_full = true;
        sl_warn(
            sl_input_name(t->in),
            "the kernel's limit of watches is reached: what is not watched is polled every %lld ms; raise "
            "fs.inotify.max_user_watches",
            (long long)(t->conf->poll_interval / SL_NS_PER_MS));
    }
    return id == -ENOENT ? -ENOENT : -1;
}

static void need_poll(tail *t)
{
    if (!t->stopped && !sl_timer_is_active(t->poll))
        sl_timer_start(t->poll, t->conf->poll_interval, t->conf->poll_interval);
}

void tail_watch_file(tail *t, tail_file *f)
{
    if (sl_input_once(t->in) || f->watch_id >= 0) return;
    int id = -1;
    if (tail_is_watchable(t, f->path, f->dev)) {
        /* Through the descriptor it is this very inode that is watched, whatever the path leads to by now. */
        uint32_t mask = IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF;
        char by_fd[32] = "/proc/self/fd/";
        sl_buf number = SL_BUF_NONE;
        sl_buf_append_u64(&number, (uint64_t)f->fd);
        memcpy(by_fd + strlen(by_fd), sl_buf_cstr(&number), number.len + 1);
        sl_buf_release(&number);
        id = add_watch(t, by_fd, mask);
        if (id == -ENOENT) id = add_watch(t, f->path, mask); /* no /proc */
    }
    if (id >= 0)
        tail_file_set_watch(t, f, id);
    else
        need_poll(t);
}

/* ---- folders ---- */

static uint64_t path_key(const char *path)
{
    return tail_hash(path, strlen(path));
}

static tail_folder *find_path(const tail *t, const char *path)
{
    size_t at = 0;
    for (tail_folder *d; (d = tail_index_next(&t->folders_by_path, path_key(path), &at));)
        if (strcmp(d->path, path) == 0) return d;
    return NULL;
}

tail_folder *tail_folder_of_watch(const tail *t, int id, size_t *at)
{
    return tail_index_next(&t->folders_by_watch, (uint64_t)id, at);
}

static void set_watch(tail *t, tail_folder *d, int id)
{
    if (d->watch_id >= 0) tail_index_remove(&t->folders_by_watch, (uint64_t)d->watch_id, d);
    d->watch_id = id;
    if (id >= 0) tail_index_add(&t->folders_by_watch, (uint64_t)id, d);
}

static void free_folder(tail *t, tail_folder *d)
{
    int id = d->watch_id;
    set_watch(t, d, -1);
    size_t at = 0;
    if (id >= 0 && t->watch && !tail_folder_of_watch(t, id, &at)) sl_watch_remove(t->watch, id);
    tail_index_remove(&t->folders_by_path, path_key(d->path), d);
    tail_unlink(&d->all);
    t->n_folders--;
    sl_free(d->path);
    sl_free(d);
}

static tail_folder *new_folder(tail *t, const char *path)
{
    if (t->n_folders >= TAIL_MAX_FOLDERS) {
        tail_log(t, TAIL_MSG_LIMIT, SL_LOG_ERROR,
                 "%s is not watched: more than %u folders match the patterns", path, TAIL_MAX_FOLDERS);
        return NULL;
    }
    tail_folder *d = sl_calloc(1, sizeof *d);
    d->path = sl_strdup(path);
    d->watch_id = -1;
    tail_link_init(&d->all);
    tail_append(&t->folders, &d->all);
    tail_index_add(&t->folders_by_path, path_key(path), d);
    t->n_folders++;
    return d;
}

void tail_folder_seen(tail *t, const char *path)
{
    struct stat st;
    if (sl_input_once(t->in) || sl_fs_stat(path, &st) < 0) return;
    tail_folder *d = find_path(t, path);
    if (d && (d->dev != st.st_dev || d->ino != st.st_ino)) {
        free_folder(t, d);
        d = NULL;
    }
    if (!d && !(d = new_folder(t, path))) return;
    d->dev = st.st_dev;
    d->ino = st.st_ino;
    int64_t now = sl_clock_wall_ns();
    if (d->gen != t->gen) { /* several patterns may look into it */
        d->last_ns = d->seen_ns;
        d->seen_ns = now;
    }
    d->gen = t->gen;
    int64_t mtime = tail_mtime_ns(&st);
    d->mtime_ns = now - mtime < TIME_GRAIN_NS ? 0 : mtime;
    if (d->watch_id >= 0) return;
    int id = tail_is_watchable(t, path, d->dev) ? add_watch(t, path, FOLDER_MASK) : -1;
    if (id >= 0)
        set_watch(t, d, id);
    else
        need_poll(t);
}

int64_t tail_folder_last_seen(const tail *t, const char *path)
{
    char folder[TAIL_MAX_PATH];
    const char *slash = strrchr(path, '/');
    size_t len = slash == path ? 1 : slash ? (size_t)(slash - path) : 0;
    if (len == 0 || len >= sizeof folder) return 0;
    memcpy(folder, path, len);
    folder[len] = '\0';
    const tail_folder *d = find_path(t, folder);
    return d ? d->last_ns : 0;
}

void tail_folder_gone(tail *t, int id)
{
    size_t at = 0;
    for (tail_folder *d; (d = tail_folder_of_watch(t, id, &at)); at = 0) {
        set_watch(t, d, -1);
        free_folder(t, d);
    }
}

void tail_folders_sweep(tail *t, const char *only)
{
    for (tail_link *at = t->folders.next, *next; at != &t->folders; at = next) {
        next = at->next;
        tail_folder *d = sl_container_of(at, tail_folder, all);
        if (d->gen != t->gen && (!only || tail_is_below(d->path, only))) free_folder(t, d);
    }
}

static bool has_changed(const tail_folder *d)
{
    struct stat st;
    return sl_fs_stat(d->path, &st) < 0 || st.st_dev != d->dev || st.st_ino != d->ino ||
           tail_mtime_ns(&st) != d->mtime_ns;
}

/* A scan may free folders: the list is begun anew after each, past those it has seen. */
bool tail_folders_check(tail *t, bool polled_only)
{
    bool any = false;
    uint32_t before = t->gen, round = ++t->folder_round;
    for (tail_link *at = t->folders.next, *next; at != &t->folders; at = next) {
        next = at->next;
        tail_folder *d = sl_container_of(at, tail_folder, all);
        if ((polled_only && d->watch_id >= 0) || d->gen > before || d->checked == round) continue;
        d->checked = round;
        any = true;
        if (!has_changed(d)) continue;
        char *path = sl_strdup(d->path);
        tail_scan_below(t, path);
        sl_free(path);
        next = t->folders.next;
    }
    return any;
}

void tail_folders_free(tail *t)
{
    while (tail_is_linked(&t->folders))
        free_folder(t, sl_container_of(t->folders.next, tail_folder, all));
    tail_index_release(&t->folders_by_path);
    tail_index_release(&t->folders_by_watch);
}
