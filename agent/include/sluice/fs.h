/* fs.h: the only door to the disk.
 *
 * Every open, read, write, sync, rename and unlink of the agent and its plugins goes through here, so that a
 * test can put another file system behind it (sl_fs_swap) and make any call fail. All functions return a
 * value >= 0 or a negative errno (-ENOSPC), restart on EINTR, open close-on-exec, and may be called from any
 * thread.
 */
#ifndef SLUICE_FS_H
#define SLUICE_FS_H

#include <dirent.h>
#include <fcntl.h>
#include <sluice/base.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

int sl_fs_open(const char *path, int flags, mode_t mode);
int sl_fs_openat(int dir, const char *name, int flags, mode_t mode);
int sl_fs_close(int fd);
ssize_t sl_fs_read(int fd, void *buf, size_t len);
ssize_t sl_fs_pread(int fd, void *buf, size_t len, off_t off);
ssize_t sl_fs_write(int fd, const void *buf, size_t len);
ssize_t sl_fs_pwrite(int fd, const void *buf, size_t len, off_t off);
ssize_t sl_fs_pwritev(int fd, const struct iovec *iov, int n, off_t off);
int sl_fs_fsync(int fd);
int sl_fs_fdatasync(int fd);
int sl_fs_ftruncate(int fd, off_t len);
int sl_fs_fallocate(int fd, int mode, off_t off, off_t len);
int sl_fs_fadvise(int fd, off_t off, off_t len, int advice);
off_t sl_fs_seek(int fd, off_t off, int whence); /* SEEK_DATA: next bytes that are not a hole; -ENXIO: none */
int sl_fs_fstat(int fd, struct stat *st);
int sl_fs_stat(const char *path, struct stat *st);
int sl_fs_lstat(const char *path, struct stat *st);
/* What a symbolic link says, without a NUL. Its length, -EINVAL when path is none, -ENAMETOOLONG when it
 * does not fit. */
ssize_t sl_fs_readlink(const char *path, char *text, size_t size);
/* The path without links, `.` and `..`; everything on it must be there. */
int sl_fs_realpath(const char *path, char *out, size_t size);
int sl_fs_rename(const char *from, const char *to);
int sl_fs_link(const char *from, const char *to);
int sl_fs_unlink(const char *path);
int sl_fs_mkdir(const char *path, mode_t mode);
int sl_fs_flock(int fd, int operation);
int64_t sl_fs_birth_ns(int fd);        /* when the file was made; 0 where the file system does not tell */
int64_t sl_fs_magic(const char *path); /* the file system's type (linux/magic.h) */
DIR *sl_fs_opendir(const char *path);  /* NULL with errno set */
struct dirent *sl_fs_readdir(DIR *dir);
void sl_fs_closedir(DIR *dir);

/* Built on the above; each returns 0 or a negative errno. */
int sl_fs_mkdirs(const char *path, mode_t mode); /* with parents; fine when there */
/* For the program's start: as many descriptors as the system grants (setrlimit(2): up to the hard limit). The
 * soft limit of most systems, 1024, is there for programs that use select(2). */
void sl_fs_raise_open_limit(void);
int sl_fs_pwrite_all(int fd, const void *buf, size_t len, off_t off); /* a short write goes on */
ssize_t sl_fs_pread_all(int fd, void *buf, size_t len, off_t off);    /* bytes read: short only at the end */
int sl_fs_sync_dir(const char *path); /* makes renames and new names in it durable */
int sl_fs_read_file(const char *path, size_t max, sl_buf *out); /* -EFBIG over max */
/* Writes path whole or not at all: temporary name, write, fsync, rename, sync of the folder. */
int sl_fs_write_file(const char *path, const void *buf, size_t len, mode_t mode);

/* The table behind the door. A test copies the real one, changes entries, and swaps it in; NULL gives the
 * real one back. */
typedef struct sl_fs_ops {
    int (*open)(int dir, const char *path, int flags, mode_t mode);
    int (*close)(int fd);
    ssize_t (*pread)(int fd, void *buf, size_t len, off_t off);            /* off < 0: at the file position */
    ssize_t (*pwritev)(int fd, const struct iovec *iov, int n, off_t off); /* off < 0: at the file position */
    int (*fsync)(int fd, bool data_only);
    int (*ftruncate)(int fd, off_t len);
    int (*fallocate)(int fd, int mode, off_t off, off_t len);
    int (*fstat)(int fd, struct stat *st);
    int (*stat)(const char *path, struct stat *st, bool follow);
    int (*rename)(const char *from, const char *to);
    int (*link)(const char *from, const char *to);
    int (*unlink)(const char *path);
    int (*mkdir)(const char *path, mode_t mode);
} sl_fs_ops;
const sl_fs_ops *sl_fs_real(void);
void sl_fs_swap(const sl_fs_ops *ops);

#endif
