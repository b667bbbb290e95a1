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

tail_verdict tail_pos_verify(int fd, const tail_pos *pos)
{
    char bytes[TAIL_MARK];
    ssize_t n = sl_fs_pread_all(fd, bytes, pos->len, (off_t)(pos->off - pos->len));
    if (n < 0) return TAIL_UNKNOWN;
    return n == (ssize_t)pos->len && tail_hash(bytes, pos->len) == pos->hash ? TAIL_SAME : TAIL_OTHER;
}

/* The longer a head is, the more it tells. */
tail_verdict tail_head_verify(int fd, uint64_t read, tail_head *head)
{
    char bytes[TAIL_HEAD];
    size_t want = read < TAIL_HEAD ? (size_t)read : TAIL_HEAD;
    if (want < head->len) want = head->len;
    ssize_t n = sl_fs_pread_all(fd, bytes, want, 0);
    if (n < 0) return TAIL_UNKNOWN;
    if (n < (ssize_t)head->len || tail_hash(bytes, head->len) != head->hash) return TAIL_OTHER;
    if (n == (ssize_t)want && want > head->len)
        *head = (tail_head){.hash = tail_hash(bytes, want), .len = (uint16_t)want};
    return TAIL_SAME;
}

/* A file that is shorter than what was read of it was either cut, or emptied and written anew. Only a whole
 * head that is as before proves the first: with less, new bytes that begin as the old ones did would be lost.
 */
static tail_verdict verify_shorter(int fd, uint64_t size, tail_head head)
{
    if (head.len < TAIL_HEAD || size < TAIL_HEAD) return TAIL_OTHER;
    tail_verdict verdict = tail_head_verify(fd, 0, &head);
    return verdict == TAIL_SAME ? TAIL_SHRUNK : verdict;
}

tail_verdict tail_verify(int fd, uint64_t size, const tail_pos *pos, tail_head *head)
{
    if (size < pos->off) return verify_shorter(fd, size, *head);
    tail_verdict verdict = tail_head_verify(fd, pos->off, head);
    return verdict == TAIL_SAME ? tail_pos_verify(fd, pos) : verdict;
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
