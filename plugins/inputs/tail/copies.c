/* copies.c: whose bytes are these? Tells a file of its own from the copy of a known one.
 *
 * Bytes alone do not prove a copy: two programs may begin their logs alike, and identical files may both be
 * wanted. A copy is recognised when three things come together:
 *   - its head and the bytes before the place up to which the original was read are the original's;
 *   - the original ended (it was truncated, or deleted): that is what copying is for. While it is still there
 *     the new file waits for a while (tail_times.hold), and is then one of its own;
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
    ssize_t n = sl_fs_pread_all(fd, s->head, sizeof s->head, 0);
    if (n < 0) return (int)n;
    s->head_len = (size_t)n;
    return sl_fs_fstat(fd, &s->st); /* last, so that the size has all of the head in it */
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
static tail_verdict compare_end(tail *t, const tail_suspect *s, tail_file *f)
{
    char ours[COMPARE], theirs[COMPARE];
    uint64_t size = (uint64_t)s->st.st_size;
    size_t len = size < COMPARE ? (size_t)size : COMPARE;
    off_t off = (off_t)(size - len);
    if (tail_file_open(t, f) < 0) return TAIL_UNKNOWN;
    ssize_t n = sl_fs_pread_all(s->fd, ours, len, off), m = sl_fs_pread_all(f->fd, theirs, len, off);
    if (n < 0 || m < 0) return TAIL_UNKNOWN;
    return n == (ssize_t)len && m == n && memcmp(ours, theirs, len) == 0 ? TAIL_SAME : TAIL_OTHER;
}

/* Whether the suspect reaches as far as the original was read, and holds the same bytes there. */
static tail_verdict compare_mark(const tail_suspect *s, const tail_file *f)
{
    return (uint64_t)s->st.st_size >= f->pos.off ? tail_pos_verify(s->fd, &f->pos) : TAIL_OTHER;
}

/* yes if the bytes are the same; what cannot be read now is waited for. */
static tail_copy if_same(tail_verdict verdict, tail_copy yes)
{
    return verdict == TAIL_SAME ? yes : verdict == TAIL_UNKNOWN ? TAIL_COPY_WAIT : TAIL_COPY_NONE;
}

static tail_copy judge_truncated(const tail_suspect *s, const tail_file *f, bool strong, bool related)
{
    if (is_same_inode(s, f) || strcmp(s->path, f->path) == 0) return TAIL_COPY_NONE;
    if ((uint64_t)s->st.st_size >= f->pos.off) return if_same(compare_mark(s, f), TAIL_COPY_TAKE);
    /* Copied a moment before the last bytes that were read were written: nothing in it is new. */
    return s->equal_to == f || (strong && related) ? TAIL_COPY_AFTER : TAIL_COPY_NONE;
}

/* Deleted, and read from its own descriptor to its end, or still being read. */
static tail_copy judge_deleted(const tail_suspect *s, const tail_file *f, bool strong)
{
    if (!strong || strcmp(f->path, s->path) == 0) return TAIL_COPY_NONE;
    bool all_read = f->state == TAIL_ENDED || f->pos.off >= f->size;
    return if_same(compare_mark(s, f), all_read ? TAIL_COPY_AFTER : TAIL_COPY_WAIT);
}

static bool is_intact(tail *t, tail_file *f)
{
    struct stat st;
    tail_head head = f->head;
    return tail_file_open(t, f) == 0 && sl_fs_fstat(f->fd, &st) == 0 &&
           tail_verify(f->fd, (uint64_t)st.st_size, &f->pos, &head) == TAIL_SAME;
}

/* The original is still there. */
static tail_copy judge_living(tail *t, const tail_suspect *s, tail_file *f, bool *equal)
{
    bool beyond = (uint64_t)s->st.st_size >= f->pos.off;
    tail_copy answer = if_same(beyond ? compare_mark(s, f) : compare_end(t, s, f), TAIL_COPY_WAIT);
    *equal = answer == TAIL_COPY_WAIT;
    return answer;
}

/* It disappeared unseen: it may have been moved through another file system, or come from one whose inodes
 * change. */
static tail_copy judge_missed(const tail_suspect *s, const tail_file *f, bool strong)
{
    tail_copy answer = if_same(compare_mark(s, f), TAIL_COPY_TAKE);
    bool births_known = s->born_ns && f->born_ns;
    if (births_known && s->born_ns == f->born_ns && s->st.st_ino == f->ino) return answer;
    if (is_same_inode(s, f) || strcmp(s->path, f->path) == 0) return births_known ? TAIL_COPY_NONE : answer;
    return strong ? answer : TAIL_COPY_NONE;
}

static tail_copy judge_ended(const tail_suspect *s, const tail_file *f, bool strong, bool related)
{
    switch (f->end) {
    case TAIL_END_MISSED: return judge_missed(s, f, strong);
    case TAIL_END_DELETED: return judge_deleted(s, f, strong);
    case TAIL_END_TRUNCATED: break;
    case TAIL_END_UNSEEN: return TAIL_COPY_NONE;
    }
    return strong || related ? judge_truncated(s, f, strong, related) : TAIL_COPY_NONE;
}

tail_copy tail_judge(tail *t, tail_suspect *s, tail_file *f, bool *equal)
{
    *equal = false;
    bool strong = f->head.len == TAIL_HEAD, related = is_related(f->path, s->path);
    if (f->state == TAIL_ENDED) return judge_ended(s, f, strong, related);
    if ((f->state != TAIL_FOLLOWED && f->state != TAIL_NAMED) || (!strong && !related)) return TAIL_COPY_NONE;
    if (f->deleted) return judge_deleted(s, f, strong);
    if (is_intact(t, f)) {
        tail_copy answer = judge_living(t, s, f, equal);
        if (answer != TAIL_COPY_NONE || is_intact(t, f)) return answer; /* not truncated meanwhile */
    }
    tail_check_generation(t, f); /* its own turn has not come yet */
    /* The copy was whole before its original was truncated; when s was read, it may still have been growing. */
    if (f->state != TAIL_ENDED || sl_fs_fstat(s->fd, &s->st) < 0) return TAIL_COPY_WAIT;
    return judge_ended(s, f, strong, related);
}

/* Fewer bytes than make a head, as while a copy is begun: the file it is named after may begin with them. */
static tail_copy judge_beginning(tail *t, const tail_suspect *s, tail_file **original, bool *equal)
{
    char theirs[TAIL_HEAD];
    char *base = tail_rotated_from(s->path);
    tail_file *f = base ? tail_find_path(t, base) : NULL;
    sl_free(base);
    if (!f || is_same_inode(s, f) || f->head.len <= s->head_len || tail_file_open(t, f) < 0)
        return TAIL_COPY_NONE;
    ssize_t n = sl_fs_pread_all(f->fd, theirs, s->head_len, 0);
    if (n != (ssize_t)s->head_len || memcmp(theirs, s->head, s->head_len) != 0) return TAIL_COPY_NONE;
    *original = f;
    *equal = true;
    return TAIL_COPY_WAIT;
}

/* The strongest answer of those whose head it begins with; longest heads first. */
tail_copy tail_judge_all(tail *t, tail_suspect *s, const tail_file *self, tail_file **original, bool *equal)
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
    bool begins = best == TAIL_COPY_NONE && s->head_len > 0 && s->head_len < TAIL_HEAD;
    return begins ? judge_beginning(t, s, original, equal) : best;
}
