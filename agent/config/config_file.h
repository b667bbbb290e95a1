/* config_file.h: one configuration out of one or more files and folders. */
#ifndef SLUICE_CONFIG_CONFIG_FILE_H
#define SLUICE_CONFIG_CONFIG_FILE_H

#include "yaml_tree.h"

#define SL_MAX_CONFIG_FILES 1000

/* Reads every file; of a folder each *.yaml and *.yml, in order of names, not deeper, hidden ones left out.
 * The result is one map: a top-level section that stands in several files holds the members of all of them,
 * in order; a member that stands in two is an error that names both places. `${…}` is replaced. NULL: some
 * file could not be read or parsed, or there is none; `problems` says why. Problems that leave a usable tree
 * are added, too. names: marks and problems call files by strings in this arena; tree: the nodes. Both are
 * the caller's. */
sl_node *sl_config_files_read(const char *const *paths, size_t count, sl_arena *names, sl_arena *tree,
                              sl_problems *problems);

#endif
