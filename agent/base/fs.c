/* fs.c: the only door to the disk (fs.h). Every call goes through one table, so that a test can stand in for
 * the file system. The table may be swapped while others are at work: a call in progress ends with the old
 * one. */
#include <errno.h>
#include <sluice/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/vfs.h>
#include <unistd.h>

/* ---- the real one ---- */

#define RETRY_EINTR(result, call)                                                                            \
    do {                                                                                                     \
        (result) = (call);                                                                                   \
    } while ((result) < 0 && errno == EINTR)

static int real_open(int dir, const char *path, int flags, mode_t mode)
{
    int fd;
    RETRY_EINTR(fd, openat(dir, path, flags | O_CLOEXEC, mode));
    return fd < 0 ? -errno : fd;
}

/* Not repeated on EINTR: Linux has closed the descriptor by then. */
static int real_close(int fd)
{
    return close(fd) < 0 ? -errno : 0;
}

static ssize_t real_pread(int fd, void *buf, size_t len, off_t off)
{
    ssize_t n;
    if (off < 0)
        RETRY_EINTR(n, read(fd, buf, len));
    else
        RETRY_EINTR(n, pread(fd, buf, len, off));
    return n < 0 ? -errno : n;
}

static ssize_t real_pwritev(int fd, const struct iovec *iov, int count, off_t off)
{
    ssize_t n;
    if (off < 0)
        RETRY_EINTR(n, writev(fd, iov, count));
    else
        RETRY_EINTR(n, pwritev(fd, iov, count, off));
    return n < 0 ? -errno : n;
}

static int real_fsync(int fd, bool data_only)
{
    int rc;
    RETRY_EINTR(rc, data_only ? fdatasync(fd) : fsync(fd));
    return rc < 0 ? -errno : 0;
}

static int real_ftruncate(int fd, off_t len)
{
    int rc;
    RETRY_EINTR(rc, ftruncate(fd, len));
    return rc < 0 ? -errno : 0;
}

static int real_fallocate(int fd, int mode, off_t off, off_t len)
{
    int rc;
    RETRY_EINTR(rc, fallocate(fd, mode, off, len));
    return rc < 0 ? -errno : 0;
}

static int real_fstat(int fd, struct stat *st)
{
    return fstat(fd, st) < 0 ? -errno : 0;
}

static int real_stat(const char *path, struct stat *st, bool follow)
{
    return (follow ? stat(path, st) : lstat(path, st)) < 0 ? -errno : 0;
}

static int real_rename(const char *from, const char *to)
{
    return rename(from, to) < 0 ? -errno : 0;
}
static int real_link(const char *from, const char *to)
{
    return link(from, to) < 0 ? -errno : 0;
}
static int real_unlink(const char *path)
{
    return unlink(path) < 0 ? -errno : 0;
}
static int real_mkdir(const char *path, mode_t mode)
{
    return mkdir(path, mode) < 0 ? -errno : 0;
}

static const sl_fs_ops real_ops = {
    .open = real_open,
    .close = real_close,
    .pread = real_pread,
    .pwritev = real_pwritev,
    .fsync = real_fsync,
    .ftruncate = real_ftruncate,
    .fallocate = real_fallocate,
    .fstat = real_fstat,
    .stat = real_stat,
    .rename = real_rename,
    .link = real_link,
    .unlink = real_unlink,
    .mkdir = real_mkdir,
};

static const sl_fs_ops *ops = &real_ops; /* atomic */

static const sl_fs_ops *door(void)
{
    return __atomic_load_n(&ops, __ATOMIC_ACQUIRE);
}

const sl_fs_ops *sl_fs_real(void)
{
    return &real_ops;
}
void sl_fs_swap(const sl_fs_ops *other)
{
    __atomic_store_n(&ops, other ? other : &real_ops, __ATOMIC_RELEASE);
}

/* ---- the door ---- */

int sl_fs_open(const char *path, int flags, mode_t mode)
{
    return door()->open(AT_FDCWD, path, flags, mode);
}
int sl_fs_openat(int dir, const char *name, int flags, mode_t mode)
{
    return door()->open(dir, name, flags, mode);
}
int sl_fs_close(int fd)
{
    return door()->close(fd);
}
ssize_t sl_fs_read(int fd, void *buf, size_t len)
{
    return door()->pread(fd, buf, len, -1);
}
ssize_t sl_fs_pread(int fd, void *buf, size_t len, off_t off)
{
    return door()->pread(fd, buf, len, off);
}

ssize_t sl_fs_write(int fd, const void *buf, size_t len)
{
    struct iovec iov = {(void *)(uintptr_t)buf, len};
    return door()->pwritev(fd, &iov, 1, -1);
}

ssize_t sl_fs_pwrite(int fd, const void *buf, size_t len, off_t off)
{
    struct iovec iov = {(void *)(uintptr_t)buf, len};
    return door()->pwritev(fd, &iov, 1, off);
}

ssize_t sl_fs_pwritev(int fd, const struct iovec *iov, int n, off_t off)
{
    return door()->pwritev(fd, iov, n, off);
}
int sl_fs_fsync(int fd)
{
    return door()->fsync(fd, false);
}
int sl_fs_fdatasync(int fd)
{
    return door()->fsync(fd, true);
}
int sl_fs_ftruncate(int fd, off_t len)
{
    return door()->ftruncate(fd, len);
}
int sl_fs_fallocate(int fd, int mode, off_t off, off_t len)
{
    return door()->fallocate(fd, mode, off, len);
}
int sl_fs_fadvise(int fd, off_t off, off_t len, int advice)
{
    return -posix_fadvise(fd, off, len, advice);
}
off_t sl_fs_seek(int fd, off_t off, int whence)
{
    off_t at = lseek(fd, off, whence);
    return at < 0 ? -errno : at;
}
int sl_fs_fstat(int fd, struct stat *st)
{
    return door()->fstat(fd, st);
}
int sl_fs_stat(const char *path, struct stat *st)
{
    return door()->stat(path, st, true);
}
int sl_fs_lstat(const char *path, struct stat *st)
{
    return door()->stat(path, st, false);
}

ssize_t sl_fs_readlink(const char *path, char *text, size_t size)
{
    ssize_t len = readlink(path, text, size);
    if (len < 0) return -errno;
    return (size_t)len < size ? len : -ENAMETOOLONG;
}

int sl_fs_realpath(const char *path, char *out, size_t size)
{
    char *real = realpath(path, NULL);
    if (!real) return -errno;
    size_t len = strlen(real);
    if (len < size) memcpy(out, real, len + 1);
    free(real);
    return len < size ? 0 : -ENAMETOOLONG;
}
int sl_fs_rename(const char *from, const char *to)
{
    return door()->rename(from, to);
}
int sl_fs_link(const char *from, const char *to)
{
    return door()->link(from, to);
}
int sl_fs_unlink(const char *path)
{
    return door()->unlink(path);
}
int sl_fs_mkdir(const char *path, mode_t mode)
{
    return door()->mkdir(path, mode);
}

int sl_fs_flock(int fd, int operation)
{
    int rc;
    RETRY_EINTR(rc, flock(fd, operation));
    return rc < 0 ? -errno : 0;
}

int64_t sl_fs_birth_ns(int fd)
{
    struct statx st;
    if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &st) < 0 || !(st.stx_mask & STATX_BTIME)) return 0;
    return st.stx_btime.tv_sec * SL_NS_PER_S + st.stx_btime.tv_nsec;
}

int64_t sl_fs_magic(const char *path)
{
    struct statfs fs;
    int rc;
    RETRY_EINTR(rc, statfs(path, &fs));
    return rc < 0 ? -errno : (int64_t)(uint32_t)fs.f_type;
}

DIR *sl_fs_opendir(const char *path)
{
    return opendir(path);
}
struct dirent *sl_fs_readdir(DIR *dir)
{
    return readdir(dir);
}
void sl_fs_closedir(DIR *dir)
{
    closedir(dir);
}
