/* fs_util.c: whole operations built on the door: all bytes or an error, names made durable. */
#include <errno.h>
#include <sluice/fs.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#define MAX_PATH_LEN 4096

void sl_fs_raise_open_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit); /* refused: what is granted already has to do */
}

int sl_fs_mkdirs(const char *path, mode_t mode)
{
    char name[MAX_PATH_LEN];
    size_t len = strlen(path);
    if (len == 0) return -ENOENT;
    if (len >= sizeof name) return -ENAMETOOLONG;
    memcpy(name, path, len + 1);
    for (char *slash = strchr(name + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int rc = sl_fs_mkdir(name, mode);
        *slash = '/';
        if (rc < 0 && rc != -EEXIST) return rc;
    }
    int rc = sl_fs_mkdir(name, mode);
    if (rc != -EEXIST) return rc;
    struct stat st;
    rc = sl_fs_stat(name, &st);
    if (rc < 0) return rc;
    return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int sl_fs_pwrite_all(int fd, const void *buf, size_t len, off_t off)
{
    const char *at = buf;
    while (len) {
        ssize_t n = sl_fs_pwrite(fd, at, len, off);
        if (n < 0) return (int)n;
        if (n == 0) return -EIO;
        at += n;
        len -= (size_t)n;
        if (off >= 0) off += n;
    }
    return 0;
}

ssize_t sl_fs_pread_all(int fd, void *buf, size_t len, off_t off)
{
    size_t got = 0;
    while (got < len) {
        ssize_t n = sl_fs_pread(fd, (char *)buf + got, len - got, off < 0 ? off : off + (off_t)got);
        if (n < 0) return n;
        if (n == 0) break;
        got += (size_t)n;
    }
    return (ssize_t)got;
}

int sl_fs_sync_dir(const char *path)
{
    int fd = sl_fs_open(path, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0) return fd;
    int rc = sl_fs_fsync(fd);
    sl_fs_close(fd);
    return rc;
}

static int read_whole(int fd, size_t max, sl_buf *out)
{
    for (;;) {
        size_t want = 16u * 1024;
        if (sl_buf_try_reserve(out, want) < 0) return -ENOMEM;
        ssize_t n = sl_fs_read(fd, out->ptr + out->len, want);
        if (n <= 0) return (int)n;
        out->len += (size_t)n;
        if (out->len > max) return -EFBIG;
    }
}

int sl_fs_read_file(const char *path, size_t max, sl_buf *out)
{
    int fd = sl_fs_open(path, O_RDONLY, 0);
    if (fd < 0) return fd;
    int rc = read_whole(fd, max, out);
    sl_fs_close(fd);
    return rc;
}

static int write_and_sync(const char *path, const void *buf, size_t len, mode_t mode)
{
    int fd = sl_fs_open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
    if (fd < 0) return fd;
    int rc = sl_fs_pwrite_all(fd, buf, len, 0);
    if (rc == 0) rc = sl_fs_fsync(fd);
    int closed = sl_fs_close(fd);
    return rc < 0 ? rc : closed;
}

static int sync_parent(const char *path)
{
    char dir[MAX_PATH_LEN];
    const char *slash = strrchr(path, '/');
    if (!slash) return sl_fs_sync_dir(".");
    size_t len = slash == path ? 1 : (size_t)(slash - path);
    memcpy(dir, path, len);
    dir[len] = '\0';
    return sl_fs_sync_dir(dir);
}

int sl_fs_write_file(const char *path, const void *buf, size_t len, mode_t mode)
{
    char temporary[MAX_PATH_LEN];
    int n = snprintf(temporary, sizeof temporary, "%s.new", path);
    if (n < 0 || (size_t)n >= sizeof temporary) return -ENAMETOOLONG;
    int rc = write_and_sync(temporary, buf, len, mode);
    if (rc == 0) rc = sl_fs_rename(temporary, path);
    if (rc < 0) {
        sl_fs_unlink(temporary);
        return rc;
    }
    return sync_parent(path);
}
