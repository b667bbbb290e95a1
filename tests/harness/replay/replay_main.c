/* replay_main.c: gives every file of a corpus to a fuzz target once. An empty or missing corpus is a failure:
 * it would test nothing. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) return 0;
    size_t cap = 1u << 24, len = 0;
    uint8_t *data = malloc(cap);
    if (data) len = fread(data, 1, cap, file);
    fclose(file);
    if (!data) return 0;
    uint8_t *exact = malloc(len ? len : 1); /* so that a sanitizer sees one byte too far */
    if (exact) {
        for (size_t i = 0; i < len; i++)
            exact[i] = data[i];
        LLVMFuzzerTestOneInput(exact, len);
    }
    free(exact);
    free(data);
    return 1;
}

int main(int argc, char **argv)
{
    int ran = 0;
    for (int i = 1; i < argc; i++) {
        DIR *dir = opendir(argv[i]);
        if (!dir) continue;
        for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
            char path[4096];
            if (entry->d_name[0] == '.') continue;
            snprintf(path, sizeof path, "%s/%s", argv[i], entry->d_name);
            ran += replay(path);
        }
        closedir(dir);
    }
    printf("%d inputs replayed\n", ran);
    return ran > 0 ? 0 : 1;
}
