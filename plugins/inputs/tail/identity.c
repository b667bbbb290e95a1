/* identity.c: what hashes of a few bytes prove about a file. Reads, never changes anything. */
#include "tail_int.h"
#include <xxhash.h>

uint64_t tail_hash(const void *bytes, size_t len)
{
    return XXH3_64bits(bytes, len);
}

static size_t mark_len(uint64_t off)
{
    return off < TAIL_MARK ? (size_t)off : TAIL_MARK;
}

tail_pos tail_pos_make(uint64_t off, const char *end, bool skip)
{
    size_t len = mark_len(off);
    return (tail_pos){.off = off, .len = (uint16_t)len, .hash = tail_hash(end - len, len), .skip = skip};
}

int tail_pos_read(int fd, uint64_t off, tail_pos *pos)
{
    char bytes[TAIL_MARK];
    size_t len = mark_len(off);
    ssize_t n = sl_fs_pread_all(fd, bytes, len, (off_t)(off - len));
    if (n < 0) return (int)n;
    *pos = tail_pos_make(off, bytes + len, false);
    return 0;
}

bool tail_pos_holds(int fd, const tail_pos *pos)
{
    char bytes[TAIL_MARK];
    ssize_t n = sl_fs_pread_all(fd, bytes, pos->len, (off_t)(pos->off - pos->len));
    return n == (ssize_t)pos->len && tail_hash(bytes, pos->len) == pos->hash;
}

/* Whether the first head->len bytes are what they were. When more has been read since (up to `read`), the
 * head becomes longer: the longer it is, the more it tells. */
bool tail_head_holds(int fd, uint64_t read, tail_head *head)
{
    char bytes[TAIL_HEAD];
    size_t want = read < TAIL_HEAD ? (size_t)read : TAIL_HEAD;
    if (want < head->len) want = head->len;
    ssize_t n = sl_fs_pread_all(fd, bytes, want, 0);
    if (n < (ssize_t)head->len || tail_hash(bytes, head->len) != head->hash) return false;
    if (n == (ssize_t)want && want > head->len)
        *head = (tail_head){.hash = tail_hash(bytes, want), .len = (uint16_t)want};
    return true;
}

/* A file that is shorter than what was read of it was either cut, or emptied and written anew. Only a whole
 * head that is as before proves the first: with less, new bytes that begin as the old ones did would be lost.
 */
tail_verdict tail_verify(int fd, uint64_t size, const tail_pos *pos, tail_head *head)
{
    if (size < pos->off) {
        tail_head copy = *head;
        bool whole = head->len == TAIL_HEAD && size >= TAIL_HEAD && tail_head_holds(fd, 0, &copy);
        return whole ? TAIL_SHRUNK : TAIL_OTHER;
    }
    if (!tail_head_holds(fd, pos->off, head)) return TAIL_OTHER;
    return tail_pos_holds(fd, pos) ? TAIL_SAME : TAIL_OTHER;
}

/* NULs behind the first bytes may be room that is still to be filled: they are no part of a head. At the very
 * start they are a hole, which is one, as nothing has been read before it. */
size_t tail_head_len(const char *bytes, size_t len, bool complete)
{
    const char *nul = len ? memchr(bytes, '\0', len) : NULL;
    if (nul && nul > bytes)
        len = (size_t)(nul - bytes);
    else if (len >= TAIL_HEAD)
        return TAIL_HEAD;
    if (complete || len >= TAIL_HEAD) return len;
    const char *newline = memrchr(bytes, '\n', len);
    return newline ? (size_t)(newline - bytes) + 1 : 0;
}
