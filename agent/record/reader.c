/* reader.c: one record at a time for conditions and templates. */
#include "record_int.h"

void sl_reader_set(sl_reader *reader, sl_batch *batch, sl_record *rec)
{
    reader->batch = batch;
    reader->rec = rec;
    reader->tok = NULL;
    if (reader->scratch.block) sl_arena_clear(&reader->scratch);
}

void sl_reader_release(sl_reader *reader)
{
    sl_tape_release(&reader->tape);
    sl_arena_release(&reader->scratch);
    *reader = (sl_reader){0};
}

static bool need_tokens(sl_reader *reader)
{
    if (reader->tok) return true;
    if (!reader->batch->sealed) {
        reader->tok = sl_record_tokens(reader->batch, reader->rec, &reader->count);
    } else {
        reader->tape.len = 0;
        sl_json_result res = sl_json_index(&reader->tape, sl_record__text(reader->rec));
        if (res.error == SL_JSON_OK) {
            reader->tok = reader->tape.tok;
            reader->count = res.tokens;
        }
    }
    return reader->tok != NULL;
}

bool sl_reader_get(sl_reader *reader, const sl_path *path, sl_value *out)
{
    sl_found found;
    if (!need_tokens(reader)) return false;
    if (!sl_record__find(reader->batch, reader->rec, reader->tok, path, &found)) return false;
    size_t room = sl_found__room(&found);
    char *ptr = room ? sl_arena_try_alloc(&reader->scratch, room) : NULL;
    if (room && !ptr) return false;
    *out = sl_found__value(&found, reader->rec, ptr);
    return true;
}
