/* walk.c: from frame to frame through a segment, over whatever is damaged.
 *
 * A window of the file is kept in memory and moves forward; its rest is carried over, so that going on costs
 * one read for many small frames, or two for one that is larger than the window. What stands at a place is
 * judged by magic, bounds and checksum alone: a header is true or it is no header. Where it is none the next
 * true one is searched byte by byte.
 */
#include "segment.h"

#define XXH_STATIC_LINKING_ONLY /* the state on the stack */
#include <errno.h>
#include <xxhash.h>

#define PAGE 4096u
/* A window that one huge frame has made larger than this is given back. */
#define WINDOW_KEPT (4u << 20)

/* ---- the window ---- */

static int load_size(sl_walk *walk)
{
    struct stat st;
    int rc = sl_fs_fstat(walk->fd, &st);
    if (rc == 0 && S_ISDIR(st.st_mode)) return -EISDIR;
    if (rc == 0) walk->size = (uint64_t)st.st_size;
    return rc;
}

/* Reads page by page what can't be read at once; a page that fails counts as zeros. */
static ssize_t read_around_errors(sl_walk *walk, char *into, size_t len, uint64_t off)
{
    size_t got = 0;
    walk->errors_seen = true;
    while (got < len && off + got < walk->size) {
        size_t piece = PAGE - (off + got) % PAGE;
        if (piece > len - got) piece = len - got;
        if (piece > walk->size - off - got) piece = (size_t)(walk->size - off - got);
        ssize_t n = sl_fs_pread_all(walk->fd, into + got, piece, (off_t)(off + got));
        if (n < 0) memset(into + got, 0, piece);
        got += n < 0 ? piece : (size_t)n;
        if (n == 0) break;
    }
    return (ssize_t)got;
}

static ssize_t read_at(sl_walk *walk, char *into, size_t len, uint64_t off)
{
    ssize_t n = sl_fs_pread_all(walk->fd, into, len, (off_t)off);
    if (n < 0 && walk->skip_errors) return read_around_errors(walk, into, len, off);
    return n;
}

/* Drops what lies before `off`, keeps what the window has behind it. */
static void move_window(sl_walk *walk, uint64_t off, size_t need)
{
    uint64_t end = walk->window_at + walk->window.len;
    size_t keep = off >= walk->window_at && off < end ? (size_t)(end - off) : 0;
    if (keep) memmove(walk->window.ptr, walk->window.ptr + (off - walk->window_at), keep);
    if (!keep && walk->window.cap > WINDOW_KEPT && need <= WINDOW_KEPT) sl_buf_release(&walk->window);
    walk->window.len = keep;
    walk->window_at = off;
}

/* Bytes [off, off + need), or fewer where the file ends. */
static int load(sl_walk *walk, uint64_t off, size_t need, sl_span *out)
{
    uint64_t end = walk->window_at + walk->window.len;
    if (off < walk->window_at || off + need > end) {
        move_window(walk, off, need);
        size_t want = (need > walk->ahead ? need : walk->ahead) - walk->window.len;
        if (sl_buf_try_reserve(&walk->window, want) != 0) return -ENOMEM;
        ssize_t n = read_at(walk, walk->window.ptr + walk->window.len, want, off + walk->window.len);
        if (n < 0) return (int)n;
        walk->window.len += (size_t)n;
    }
    size_t have = (size_t)(walk->window_at + walk->window.len - off);
    *out = (sl_span){walk->window.ptr + (off - walk->window_at), have};
    return 0;
}

/* ---- opening ---- */

int sl_walk__open(sl_walk *walk, const char *dir, uint64_t first, uint64_t id, size_t ahead,
                  sl_segment_header *hdr, bool *hdr_true)
{
    char path[SL_PATH_LEN];
    sl_segment__path(dir, first, "", path);
    int fd = sl_fs_open(path, O_RDONLY, 0);
    if (fd < 0) return fd;
    bool skip_errors = walk->skip_errors;
    *walk = (sl_walk){.fd = fd, .id = id, .ahead = ahead, .skip_errors = skip_errors};
    sl_span bytes = SL_SPAN_NONE;
    int rc = load_size(walk);
    if (rc == 0) rc = load(walk, 0, SL_SEGMENT_HEADER, &bytes);
    if (rc < 0) {
        sl_walk__close(walk);
        return rc;
    }
    *hdr_true =
        bytes.len >= SL_SEGMENT_HEADER && sl_segment_header__decode(bytes.ptr, hdr) && hdr->first == first;
    if (!id && *hdr_true) walk->id = hdr->id;
    walk->off = SL_SEGMENT_HEADER;
    return 0;
}

void sl_walk__close(sl_walk *walk)
{
    if (walk->fd >= 0) sl_fs_close(walk->fd);
    sl_buf_release(&walk->window);
    walk->fd = -1;
}

uint64_t sl_walk__find_id(const char *dir, const uint64_t *firsts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sl_walk walk = {.skip_errors = true};
        sl_segment_header hdr;
        bool is_true;
        if (sl_walk__open(&walk, dir, firsts[i], 0, SL_WALK_HEADERS, &hdr, &is_true) < 0) continue;
        sl_walk__close(&walk);
        if (is_true) return hdr.id;
    }
    return 0;
}

/* ---- what stands there ---- */

static bool is_seal(const sl_walk *walk, uint64_t off, sl_span bytes, sl_seal *seal)
{
    return bytes.len >= SL_SEAL && sl_seal__decode(bytes.ptr, walk->id, seal) && seal->offset == off;
}

/* The next place from `from` on that begins with a true header or seal; the file's size when there is none.
 */
static int search_true(sl_walk *walk, uint64_t from, uint64_t *out)
{
    sl_span bytes;
    for (uint64_t off = from; off < walk->size;) {
        int rc = load(walk, off, SL_FRAME_HEADER_MAX, &bytes);
        if (rc < 0) return rc;
        const char *hit = memmem(bytes.ptr, bytes.len, SL_MAGIC_COMMON, SL_MAGIC_COMMON_LEN);
        if (!hit) {
            if (bytes.len < SL_MAGIC_COMMON_LEN) break;
            off += bytes.len - (SL_MAGIC_COMMON_LEN - 1);
            continue;
        }
        off += (uint64_t)(hit - bytes.ptr);
        rc = load(walk, off, SL_FRAME_HEADER_MAX, &bytes);
        if (rc < 0) return rc;
        sl_frame_header hdr;
        sl_seal seal;
        *out = off;
        if (sl_frame_header__decode(bytes.ptr, bytes.len, walk->id, &hdr) || is_seal(walk, off, bytes, &seal))
            return 0;
        off++;
    }
    *out = walk->size;
    return 0;
}

static int is_all_zeros(sl_walk *walk, uint64_t off, bool *out)
{
    *out = true;
    while (off < walk->size && *out) {
        sl_span bytes;
        int rc = load(walk, off, 1, &bytes);
        if (rc < 0) return rc;
        for (size_t i = 0; i < bytes.len && *out; i++)
            *out = bytes.ptr[i] == 0;
        if (bytes.len == 0) break;
        off += bytes.len;
    }
    return 0;
}

static int look_at_damage(sl_walk *walk, sl_walk_item *item)
{
    uint64_t next;
    int rc = search_true(walk, walk->off + 1, &next);
    if (rc < 0) return rc;
    item->found = SL_WALK_DAMAGE;
    item->len = next - walk->off;
    item->to_end = next == walk->size;
    if (!item->to_end) return 0;
    bool zeros;
    rc = is_all_zeros(walk, walk->off, &zeros);
    /* Pages that can't be read are zeros by our own doing. */
    if (rc == 0 && zeros && !walk->errors_seen) item->found = SL_WALK_TORN;
    return rc;
}

/* Looks at the file's size only when what is wanted may lie behind what is known of it. */
static int see(sl_walk *walk, size_t len, sl_span *bytes)
{
    int rc = walk->off + len > walk->size ? load_size(walk) : 0;
    return rc < 0 ? rc : load(walk, walk->off, len, bytes);
}

/* A later version's header may be longer than ours. */
static int see_header(sl_walk *walk, sl_walk_item *item, sl_span *bytes)
{
    int rc = see(walk, SL_FRAME_HEADER, bytes);
    if (rc == 0 && sl_frame_header__parse(bytes->ptr, bytes->len, &item->hdr) &&
        item->hdr.header_len > SL_FRAME_HEADER)
        rc = see(walk, item->hdr.header_len, bytes);
    return rc;
}

static int take_header(sl_walk *walk, sl_walk_item *item)
{
    uint64_t total = sl_frame_header__total(&item->hdr);
    int rc = walk->off + total > walk->size ? load_size(walk) : 0;
    bool whole = walk->off + total <= walk->size;
    item->has_header = true;
    item->found = whole ? SL_WALK_FRAME : SL_WALK_TORN;
    item->len = whole ? total : walk->size - walk->off;
    return rc;
}

int sl_walk__look(sl_walk *walk, sl_walk_item *item)
{
    *item = (sl_walk_item){.off = walk->off, .found = SL_WALK_END};
    sl_span bytes = SL_SPAN_NONE;
    int rc = see_header(walk, item, &bytes);
    if (rc < 0 || walk->off >= walk->size) return rc;
    if (is_seal(walk, walk->off, bytes, &item->seal)) {
        item->found = SL_WALK_SEAL;
        item->len = SL_SEAL;
        return 0;
    }
    if (sl_frame_header__decode(bytes.ptr, bytes.len, walk->id, &item->hdr)) return take_header(walk, item);
    if (bytes.len >= SL_FRAME_HEADER) return look_at_damage(walk, item);
    item->found = SL_WALK_TORN;
    item->len = walk->size - walk->off;
    return 0;
}

void sl_walk__forget(sl_walk *walk)
{
    walk->window.len = 0;
    walk->size = 0;
}

/* ---- payloads ---- */

int sl_walk__verify(sl_walk *walk, const sl_walk_item *item)
{
    XXH3_state_t state;
    XXH3_64bits_reset(&state);
    uint64_t at = item->off + item->hdr.header_len, end = item->off + item->len;
    while (at < end) {
        sl_span bytes;
        size_t need = end - at < SL_WALK_ALL ? (size_t)(end - at) : SL_WALK_ALL;
        int rc = load(walk, at, need, &bytes);
        if (rc < 0) return rc;
        if (bytes.len < need) return 1;
        XXH3_64bits_update(&state, bytes.ptr, need);
        at += need;
    }
    return XXH3_64bits_digest(&state) == item->hdr.payload_sum ? 0 : 1;
}

int sl_walk__frame(sl_walk *walk, const sl_walk_item *item, sl_span *out)
{
    int rc = load(walk, item->off, (size_t)item->len, out);
    if (rc == 0 && out->len > item->len) out->len = (size_t)item->len;
    return rc;
}
