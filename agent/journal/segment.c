/* segment.c: a segment as a file: its name, its header, appending, its seal.
 *
 * Invariant: `bytes` is the end of the last whole frame. What a failed write leaves behind it is cut at once;
 * when even that fails the segment is broken and takes no more.
 */
#include "segment.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define SUFFIX "seg"

void sl_segment__path(const char *dir, uint64_t first, const char *suffix, char out[SL_PATH_LEN])
{
    snprintf(out, SL_PATH_LEN, "%s/%020llu." SUFFIX "%s", dir, (unsigned long long)first, suffix);
}

/* Exactly 20 digits and ".seg". */
static bool parse_name(const char *name, uint64_t *first)
{
    if (strlen(name) != SL_SEGMENT_DIGITS + 1 + strlen(SUFFIX)) return false;
    for (int i = 0; i < SL_SEGMENT_DIGITS; i++)
        if (name[i] < '0' || name[i] > '9') return false;
    if (strcmp(name + SL_SEGMENT_DIGITS, "." SUFFIX) != 0) return false;
    errno = 0;
    *first = strtoull(name, NULL, 10);
    return errno == 0 && *first > 0 && *first < SL_MAX_SEQUENCE;
}

static bool is_leftover(const char *name)
{
    size_t len = strlen(name);
    return len > 4 && strcmp(name + len - 4, ".new") == 0;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

int sl_segment__list(const char *dir, uint64_t **firsts, size_t *count,
                     void (*leftover)(const char *dir, const char *name))
{
    *firsts = NULL;
    *count = 0;
    size_t cap = 0;
    DIR *handle = sl_fs_opendir(dir);
    if (!handle) return -errno;
    struct dirent *entry;
    /* A listing that breaks off must not pass for a folder with fewer segments. */
    while (errno = 0, (entry = sl_fs_readdir(handle))) {
        uint64_t first;
        if (leftover && is_leftover(entry->d_name)) leftover(dir, entry->d_name);
        if (!parse_name(entry->d_name, &first)) continue;
        if (*count == cap) *firsts = sl_realloc(*firsts, (cap = cap ? cap * 2 : 16) * sizeof(**firsts));
        (*firsts)[(*count)++] = first;
    }
    int rc = -errno;
    sl_fs_closedir(handle);
    if (rc < 0) {
        sl_free(*firsts);
        *firsts = NULL;
        *count = 0;
    }
    if (*count) qsort(*firsts, *count, sizeof(**firsts), by_value);
    return rc;
}

int sl_segment__create(sl_segment *seg, const char *dir, const char *suffix, uint64_t id, uint64_t first,
                       uint64_t first_record)
{
    char path[SL_PATH_LEN], bytes[SL_SEGMENT_HEADER];
    sl_segment_header hdr = {
        .id = id, .first = first, .first_record = first_record, .created = sl_clock_wall_ns()};
    sl_segment__path(dir, first, suffix, path);
    sl_segment_header__encode(&hdr, bytes);
    /* What stands under this name holds no frame: opening deletes or moves such a file, but may have failed
     * to. */
    int fd = sl_fs_open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (fd < 0) return fd;
    int rc = sl_fs_pwrite_all(fd, bytes, sizeof(bytes), 0);
    if (rc < 0) {
        sl_fs_close(fd);
        sl_fs_unlink(path);
        return rc;
    }
    *seg = (sl_segment){
        .first = first,
        .next = first,
        .first_record = first_record,
        .next_record = first_record,
        .bytes = SL_SEGMENT_HEADER,
        .fd = fd,
    };
    return 0;
}

static int write_or_cut(sl_segment *seg, const void *ptr, size_t len)
{
    int rc = sl_fs_pwrite_all(seg->fd, ptr, len, (off_t)seg->bytes);
    if (rc < 0) {
        if (sl_fs_ftruncate(seg->fd, (off_t)seg->bytes) < 0) seg->broken = true;
        return rc;
    }
    seg->bytes += len;
    return 0;
}

int sl_segment__append(sl_segment *seg, sl_span frame, const sl_frame_header *hdr)
{
    int rc = write_or_cut(seg, frame.ptr, frame.len);
    if (rc < 0) return rc;
    if (seg->frames++ == 0) seg->first_written = hdr->written;
    seg->last_written = hdr->written;
    seg->next = hdr->sequence + 1;
    seg->next_record = hdr->first_record + hdr->records;
    return 0;
}

int sl_segment__seal(sl_segment *seg, uint64_t id)
{
    char bytes[SL_SEAL];
    sl_seal seal = {
        .frames = seg->frames,
        .first = seg->first,
        .next = seg->next,
        .next_record = seg->next_record,
        .first_written = seg->first_written,
        .last_written = seg->last_written,
        .offset = seg->bytes,
    };
    if (seg->broken) return -EIO;
    sl_seal__encode(&seal, id, bytes);
    return write_or_cut(seg, bytes, sizeof(bytes));
}

void sl_segment__close(sl_segment *seg)
{
    if (seg->fd >= 0) sl_fs_close(seg->fd);
    seg->fd = -1;
}
