/* sqlite_disk.c: see the header. A VFS over SQLite's own. */
#include "sqlite_disk.h"
#include "check_main.h"
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#define SECTOR     512u
#define MAX_IMAGES 4
#define MAX_BYTES  (8u << 20)

/* Of one file, by path. */
typedef struct image {
    char path[512];
    char *synced, *now;
    size_t synced_len, now_len;
    uint8_t dirty[MAX_BYTES / SECTOR]; /* written since the last try to sync */
} image;

typedef struct disk_file {
    sqlite3_file base;
    image *img;         /* NULL: a temporary file */
    sqlite3_file *real; /* behind this struct */
} disk_file;

static sqlite3_vfs *below, vfs;
static image images[MAX_IMAGES];
static sqlite_disk_dice roll;
static uint64_t ops, cut_at, syncs, fail_at;
static const char *left_in;
static void (*on_cut)(void);

/* ---- what is known of a file ---- */

static image *image_of(const char *path)
{
    image *unused = NULL;
    for (int i = 0; i < MAX_IMAGES; i++) {
        if (strcmp(images[i].path, path) == 0) return &images[i];
        if (!images[i].path[0] && !unused) unused = &images[i];
    }
    ck_assert_ptr_nonnull(unused);
    snprintf(unused->path, sizeof unused->path, "%s", path);
    unused->synced = sl_calloc(1, MAX_BYTES);
    unused->now = sl_calloc(1, MAX_BYTES);
    return unused;
}

static void forget(image *img)
{
    sl_free(img->synced);
    sl_free(img->now);
    *img = (image){0};
}

static void note_write(image *img, const void *bytes, size_t len, size_t off)
{
    ck_assert_uint_le(off + len, MAX_BYTES);
    memcpy(img->now + off, bytes, len);
    if (off + len > img->now_len) img->now_len = off + len;
    for (size_t s = off / SECTOR; s * SECTOR < off + len; s++)
        img->dirty[s] = 1;
}

static void note_sync(image *img, bool succeeded)
{
    for (size_t s = 0; s * SECTOR < img->now_len; s++) {
        if (img->dirty[s] && succeeded) memcpy(img->synced + s * SECTOR, img->now + s * SECTOR, SECTOR);
        img->dirty[s] = 0;
    }
    if (succeeded) img->synced_len = img->now_len;
}

/* ---- the power goes ---- */

static void leave(const image *img)
{
    char path[1024];
    const char *name = strrchr(img->path, '/');
    size_t more = img->now_len > img->synced_len ? img->now_len - img->synced_len : 0;
    size_t len = more ? img->synced_len + roll(more + 1) : roll(2) ? img->now_len : img->synced_len;
    char *bytes = sl_calloc(1, MAX_BYTES);
    uint64_t odds = roll(5);
    memcpy(bytes, img->synced, MAX_BYTES);
    for (size_t s = 0; s * SECTOR < img->now_len; s++)
        if (img->dirty[s] && roll(4) < odds) memcpy(bytes + s * SECTOR, img->now + s * SECTOR, SECTOR);
    snprintf(path, sizeof path, "%s%s", left_in, name);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, len, file), len);
    fclose(file);
    sl_free(bytes);
}

static void count_op(void)
{
    if (++ops != cut_at) return;
    for (int i = 0; i < MAX_IMAGES; i++)
        if (images[i].path[0]) leave(&images[i]);
    on_cut();
}

/* ---- files ---- */

static sqlite3_file *real(sqlite3_file *file)
{
    return ((disk_file *)file)->real;
}
static image *img(sqlite3_file *file)
{
    return ((disk_file *)file)->img;
}

static int disk_close(sqlite3_file *f)
{
    return real(f)->pMethods->xClose(real(f));
}
static int disk_read(sqlite3_file *f, void *bytes, int len, sqlite3_int64 off)
{
    return real(f)->pMethods->xRead(real(f), bytes, len, off);
}
static int disk_write(sqlite3_file *f, const void *bytes, int len, sqlite3_int64 off)
{
    if (img(f)) {
        count_op();
        note_write(img(f), bytes, (size_t)len, (size_t)off);
    }
    return real(f)->pMethods->xWrite(real(f), bytes, len, off);
}
static int disk_truncate(sqlite3_file *f, sqlite3_int64 len)
{
    if (img(f)) {
        count_op();
        if ((size_t)len < img(f)->now_len) memset(img(f)->now + len, 0, img(f)->now_len - (size_t)len);
        img(f)->now_len = (size_t)len;
    }
    return real(f)->pMethods->xTruncate(real(f), len);
}
static int disk_sync(sqlite3_file *f, int flags)
{
    (void)flags;
    if (!img(f)) return SQLITE_OK;
    count_op();
    bool fails = ++syncs == fail_at;
    note_sync(img(f), !fails);
    return fails ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}
static int disk_size(sqlite3_file *f, sqlite3_int64 *len)
{
    return real(f)->pMethods->xFileSize(real(f), len);
}
static int disk_lock(sqlite3_file *f, int level)
{
    return real(f)->pMethods->xLock(real(f), level);
}
static int disk_unlock(sqlite3_file *f, int level)
{
    return real(f)->pMethods->xUnlock(real(f), level);
}
static int disk_check_lock(sqlite3_file *f, int *out)
{
    return real(f)->pMethods->xCheckReservedLock(real(f), out);
}
static int disk_control(sqlite3_file *f, int op, void *arg)
{
    return real(f)->pMethods->xFileControl(real(f), op, arg);
}
static int disk_sector(sqlite3_file *f)
{
    return real(f)->pMethods->xSectorSize(real(f));
}
static int disk_device(sqlite3_file *f)
{
    return real(f)->pMethods->xDeviceCharacteristics(real(f));
}
static int disk_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
    return real(f)->pMethods->xShmMap(real(f), page, size, extend, out);
}
static int disk_shm_lock(sqlite3_file *f, int off, int n, int flags)
{
    return real(f)->pMethods->xShmLock(real(f), off, n, flags);
}
static void disk_shm_barrier(sqlite3_file *f)
{
    real(f)->pMethods->xShmBarrier(real(f));
}
static int disk_shm_unmap(sqlite3_file *f, int delete)
{
    return real(f)->pMethods->xShmUnmap(real(f), delete);
}

static const sqlite3_io_methods methods = {
    2,           disk_close,   disk_read,     disk_write,       disk_truncate,  disk_sync,
    disk_size,   disk_lock,    disk_unlock,   disk_check_lock,  disk_control,   disk_sector,
    disk_device, disk_shm_map, disk_shm_lock, disk_shm_barrier, disk_shm_unmap, NULL,
    NULL,
};

/* ---- names ---- */

static int disk_open(sqlite3_vfs *self, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
    (void)self;
    disk_file *f = (disk_file *)file;
    bool kept = name && (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL));
    f->real = (sqlite3_file *)(f + 1);
    int rc = below->xOpen(below, name, f->real, flags, out_flags);
    f->base.pMethods = f->real->pMethods ? &methods : NULL;
    f->img = rc == SQLITE_OK && kept ? image_of(name) : NULL;
    return rc;
}

static int disk_delete(sqlite3_vfs *self, const char *name, int sync_dir)
{
    (void)self;
    for (int i = 0; i < MAX_IMAGES; i++)
        if (strcmp(images[i].path, name) == 0) forget(&images[i]);
    return below->xDelete(below, name, sync_dir);
}

void sqlite_disk_begin(sqlite_disk_dice dice)
{
    if (!below) {
        below = sqlite3_vfs_find(NULL);
        vfs = *below;
        vfs.zName = "disk under test";
        vfs.szOsFile = (int)sizeof(disk_file) + below->szOsFile;
        vfs.xOpen = disk_open;
        vfs.xDelete = disk_delete;
    }
    roll = dice;
    ops = cut_at = syncs = fail_at = 0;
    ck_assert_int_eq(sqlite3_vfs_register(&vfs, 1), SQLITE_OK);
}

void sqlite_disk_end(void)
{
    for (int i = 0; i < MAX_IMAGES; i++)
        if (images[i].path[0]) forget(&images[i]);
    sqlite3_vfs_unregister(&vfs);
}

void sqlite_disk_fail_sync(uint64_t at)
{
    syncs = 0;
    fail_at = at;
}

void sqlite_disk_cut(uint64_t at, const char *left, void (*cut)(void))
{
    ops = 0;
    cut_at = at;
    left_in = left;
    on_cut = cut;
}
