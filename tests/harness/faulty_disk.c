/* faulty_disk.c: see the header. */
#include "faulty_disk.h"
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct {
    disk_call calls;
    uint64_t at, times, seen;
    int error;
    bool short_write, failed;
} plan;

/* 0, or the negative errno that this call is to fail with. */
static int fails(disk_call call)
{
    pthread_mutex_lock(&lock);
    bool counts = plan.calls & call;
    plan.seen += counts;
    bool hit = counts && plan.seen >= plan.at && plan.seen - plan.at < plan.times;
    plan.failed |= hit;
    int rc = hit ? -plan.error : 0;
    pthread_mutex_unlock(&lock);
    return rc;
}

/* Whether this failing write is to write its first half; the next one then fails. */
static bool is_short(const struct iovec *iov)
{
    pthread_mutex_lock(&lock);
    bool half = plan.short_write && iov[0].iov_len >= 2;
    if (half) {
        plan.short_write = false;
        plan.times++;
    }
    pthread_mutex_unlock(&lock);
    return half;
}

static int faulty_open(int dir, const char *path, int flags, mode_t mode)
{
    int rc = fails(DISK_OPEN);
    return rc < 0 ? rc : sl_fs_real()->open(dir, path, flags, mode);
}
/* The descriptor is gone whatever the call says. */
static int faulty_close(int fd)
{
    int rc = fails(DISK_CLOSE), closed = sl_fs_real()->close(fd);
    return rc < 0 ? rc : closed;
}
static ssize_t faulty_pread(int fd, void *buf, size_t len, off_t off)
{
    int rc = fails(DISK_READ);
    return rc < 0 ? rc : sl_fs_real()->pread(fd, buf, len, off);
}
/* A short write tells how much it has written; the next call fails. */
static ssize_t faulty_pwritev(int fd, const struct iovec *iov, int n, off_t off)
{
    int rc = fails(DISK_WRITE);
    if (rc == 0) return sl_fs_real()->pwritev(fd, iov, n, off);
    if (!is_short(iov)) return rc;
    struct iovec half = {iov[0].iov_base, iov[0].iov_len / 2};
    return sl_fs_real()->pwritev(fd, &half, 1, off);
}
static int faulty_fsync(int fd, bool data_only)
{
    int rc = fails(DISK_SYNC);
    return rc < 0 ? rc : sl_fs_real()->fsync(fd, data_only);
}
static int faulty_ftruncate(int fd, off_t len)
{
    int rc = fails(DISK_TRUNCATE);
    return rc < 0 ? rc : sl_fs_real()->ftruncate(fd, len);
}
static int faulty_fallocate(int fd, int mode, off_t off, off_t len)
{
    int rc = fails(DISK_ALLOCATE);
    return rc < 0 ? rc : sl_fs_real()->fallocate(fd, mode, off, len);
}
static int faulty_fstat(int fd, struct stat *st)
{
    int rc = fails(DISK_FSTAT);
    return rc < 0 ? rc : sl_fs_real()->fstat(fd, st);
}
static int faulty_stat(const char *path, struct stat *st, bool follow)
{
    int rc = fails(DISK_STAT);
    return rc < 0 ? rc : sl_fs_real()->stat(path, st, follow);
}
static int faulty_rename(const char *from, const char *to)
{
    int rc = fails(DISK_RENAME);
    return rc < 0 ? rc : sl_fs_real()->rename(from, to);
}
static int faulty_link(const char *from, const char *to)
{
    int rc = fails(DISK_LINK);
    return rc < 0 ? rc : sl_fs_real()->link(from, to);
}
static int faulty_unlink(const char *path)
{
    int rc = fails(DISK_UNLINK);
    return rc < 0 ? rc : sl_fs_real()->unlink(path);
}
static int faulty_mkdir(const char *path, mode_t mode)
{
    int rc = fails(DISK_MKDIR);
    return rc < 0 ? rc : sl_fs_real()->mkdir(path, mode);
}

static const sl_fs_ops faulty = {
    .open = faulty_open,
    .close = faulty_close,
    .pread = faulty_pread,
    .pwritev = faulty_pwritev,
    .fsync = faulty_fsync,
    .ftruncate = faulty_ftruncate,
    .fallocate = faulty_fallocate,
    .fstat = faulty_fstat,
    .stat = faulty_stat,
    .rename = faulty_rename,
    .link = faulty_link,
    .unlink = faulty_unlink,
    .mkdir = faulty_mkdir,
};

static void make_plan(disk_call calls, uint64_t at, uint64_t times, int error, bool short_write)
{
    pthread_mutex_lock(&lock);
    plan.calls = calls;
    plan.at = at;
    plan.times = times;
    plan.seen = 0;
    plan.error = error;
    plan.short_write = short_write;
    plan.failed = false;
    pthread_mutex_unlock(&lock);
}

const sl_fs_ops *disk_faulty(disk_call calls, uint64_t at, uint64_t times, int error)
{
    make_plan(calls, at, times, error, false);
    return &faulty;
}

void disk_fail(disk_call calls, uint64_t at, uint64_t times, int error, bool short_write)
{
    make_plan(calls, at, times, error, short_write);
    sl_fs_swap(&faulty);
}

uint64_t disk_calls(void)
{
    pthread_mutex_lock(&lock);
    uint64_t seen = plan.seen;
    pthread_mutex_unlock(&lock);
    return seen;
}
bool disk_failed(void)
{
    pthread_mutex_lock(&lock);
    bool failed = plan.failed;
    pthread_mutex_unlock(&lock);
    return failed;
}
void disk_heal(void)
{
    sl_fs_swap(NULL);
}
