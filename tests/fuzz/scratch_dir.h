/* scratch_dir.h: a folder for fuzz targets that need files: made at first use in $TMPDIR (a memory file
 * system makes it fast), removed at the end of the process. */
#ifndef SCRATCH_DIR_H
#define SCRATCH_DIR_H

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char scratch[256];

/* Files only. */
static inline void scratch_empty(void)
{
    DIR *dir = opendir(scratch);
    struct dirent *entry;
    while (dir && (entry = readdir(dir)))
        if (entry->d_type == DT_REG && unlinkat(dirfd(dir), entry->d_name, 0) != 0) abort();
    if (dir) closedir(dir);
}

static inline void scratch_remove(void)
{
    scratch_empty();
    rmdir(scratch);
}

static inline void scratch_make(void)
{
    const char *base = getenv("TMPDIR");
    if (scratch[0]) return;
    snprintf(scratch, sizeof scratch, "%s/sluice-fuzz-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(scratch)) abort();
    atexit(scratch_remove);
}

static inline void scratch_write(const char *name, const void *data, size_t size)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", scratch, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size) abort();
    close(fd);
}

#endif
