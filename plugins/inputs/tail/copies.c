/* copies.c: whose bytes are these? Tells a file of its own from the copy of a known one.
 *
 * Bytes alone do not prove a copy: two programs may begin their logs alike, and identical files may both be
 * wanted. A copy is recognised when three things come together:
 *   - its head and the bytes before the place up to which the original was read are the original's;
 *   - the original ended (it was truncated, or deleted): that is what copying is for. While it is still there
 * the new file waits for a while (tail_times.hold), and is then one of its own;
 *   - the head is a whole one (TAIL_HEAD bytes), or the names are related, as logrotate's are.
 * In doubt it is a file of its own: read twice is better than not at all.
 */
#include "tail_int.h"

#define COMPARE 4096u /* bytes at the end of a growing copy that are compared with the original's */

int tail_suspect_read(tail_suspect *s, int fd, const char *path)
{
    s->fd = fd;
    s->path = path;
    s->equal_to = NULL;
    s->born_ns = sl_fs_birth_ns(fd);
    int rc = sl_fs_fstat(fd, &s->st);
    if (rc < 0) return rc;
    ssize_t n = sl_fs_pread_all(fd, s->head, sizeof s->head, 0);
    if (n < 0) return (int)n;
    s->head_len = (size_t)n;
    return 0;
}

/* `app` of /var/log/app.log: rotated names begin so. */
static bool is_related(const char *original, const char *other)
{
    const char *slash = strrchr(original, '/');
    const char *name = slash ? slash + 1 : original;
    slash = strrchr(other, '/');
    size_t stem = strcspn(name, ".");
    return stem > 0 && strncmp(slash ? slash + 1 : other, name, stem) == 0;
}

static bool is_same_inode(const tail_suspect *s, const tail_file *f)
{
    return s->st.st_dev == f->dev && s->st.st_ino == f->ino;
}

/* The end of the suspect against the same place in the original. */
static bool is_equal_so_far(tail *t, const tail_suspect *s, tail_file *f)
{
    char ours[COMPARE], theirs[COMPARE];
    uint64_t size = (uint64_t)s->st.st_size;
    size_t len = size < COMPARE ? (size_t)size : COMPARE;
    off_t off = (off_t)(size - len);
    return tail_file_open(t, f) == 0 && sl_fs_pread_all(s->fd, ours, len, off) == (ssize_t)len &&
           sl_fs_pread_all(f->fd, theirs, len, off) == (ssize_t)len && memcmp(ours, theirs, len) == 0;
}

/* False also when it cannot be told. */
static bool is_intact(tail *t, tail_file *f)
{
    struct stat st;
    tail_head head = f->head;
    return tail_file_open(t, f) == 0 && sl_fs_fstat(f->fd, &st) == 0 &&
           tail_verify(f->fd, (uint64_t)st.st_size, &f->pos, &head) == TAIL_SAME;
}

static tail_copy judge_truncated(const tail_suspect *s, const tail_file *f, bool strong, bool related)
{
    if (is_same_inode(s, f) || strcmp(s->path, f->path) == 0) return TAIL_COPY_NONE;
    if ((uint64_t)s->st.st_size >= f->pos.off)
        return tail_pos_holds(s->fd, &f->pos) ? TAIL_COPY_TAKE : TAIL_COPY_NONE;
    /* Copied a moment before the last bytes that were read were written: nothing in it is new. */
    return s->equal_to == f || (strong && related) ? TAIL_COPY_AFTER : TAIL_COPY_NONE;
}

/* The original is still there. */
static tail_copy judge_living(tail *t, const tail_suspect *s, tail_file *f, bool strong, bool related,
                              bool *equal)
{
    bool beyond = (uint64_t)s->st.st_size >= f->pos.off;
    bool mark = beyond && tail_pos_holds(s->fd, &f->pos);
    if (f->deleted) { /* its own bytes are read from its own descriptor */
        if (!strong || !mark || strcmp(f->path, s->path) == 0) return TAIL_COPY_NONE;
        return f->pos.off >= f->size ? TAIL_COPY_AFTER : TAIL_COPY_WAIT;
    }
    if (!is_intact(t, f)) { /* its own turn has not come yet */
        tail_check_generation(t, f);
        return f->state == TAIL_ENDED ? judge_truncated(s, f, strong, related) : TAIL_COPY_WAIT;
    }
    *equal = beyond ? mark : is_equal_so_far(t, s, f);
    return *equal ? TAIL_COPY_WAIT : TAIL_COPY_NONE;
}

/* It disappeared unseen: it may have been moved through another file system, or come from one whose inodes
 * change. */
static tail_copy judge_missed(const tail_suspect *s, const tail_file *f, bool strong)
{
    if ((uint64_t)s->st.st_size < f->pos.off || !tail_pos_holds(s->fd, &f->pos)) return TAIL_COPY_NONE;
    bool births_known = s->born_ns && f->born_ns;
    if (births_known && s->born_ns == f->born_ns && s->st.st_ino == f->ino) return TAIL_COPY_TAKE;
    if (is_same_inode(s, f) || strcmp(s->path, f->path) == 0)
        return births_known ? TAIL_COPY_NONE : TAIL_COPY_TAKE;
    return strong ? TAIL_COPY_TAKE : TAIL_COPY_NONE;
}

tail_copy tail_judge(tail *t, const tail_suspect *s, tail_file *f, bool *equal)
{
    *equal = false;
    bool strong = f->head.len == TAIL_HEAD, related = is_related(f->path, s->path);
    if (f->state == TAIL_ENDED && f->end == TAIL_END_MISSED) return judge_missed(s, f, strong);
    if (!strong && !related) return TAIL_COPY_NONE;
    if (f->state == TAIL_FOLLOWED || f->state == TAIL_NAMED)
        return judge_living(t, s, f, strong, related, equal);
    if (f->state != TAIL_ENDED) return TAIL_COPY_NONE;
    if (f->end == TAIL_END_TRUNCATED) return judge_truncated(s, f, strong, related);
    bool copy = f->end == TAIL_END_DELETED && strong && strcmp(s->path, f->path) != 0 &&
                (uint64_t)s->st.st_size >= f->pos.off && tail_pos_holds(s->fd, &f->pos);
    return copy ? TAIL_COPY_AFTER : TAIL_COPY_NONE;
}

/* The strongest answer of those whose head it begins with; longest heads first. */
tail_copy tail_judge_all(tail *t, const tail_suspect *s, const tail_file *self, tail_file **original,
                         bool *equal)
{
    tail_copy best = TAIL_COPY_NONE;
    *original = NULL;
    *equal = false;
    for (size_t len = s->head_len; len > 0 && best < TAIL_COPY_AFTER; len--) {
        if (t->head_lens[len] == 0) continue;
        tail_head head = {.hash = tail_hash(s->head, len), .len = (uint16_t)len};
        size_t at = 0;
        for (tail_file *f; best < TAIL_COPY_AFTER && (f = tail_find_head(t, head, &at));) {
            bool eq;
            tail_copy answer = f == self ? TAIL_COPY_NONE : tail_judge(t, s, f, &eq);
            if (answer <= best) continue;
            best = answer;
            *original = f;
            *equal = eq;
        }
    }
    return best;
}
