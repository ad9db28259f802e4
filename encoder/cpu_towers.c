/* cpu_towers.c - the towers on this CPU. */
#include "encoder/tower.h"

int ks_cpu_open(ks_encoder *enc, int towers, ks_error *e)
{
    int err = towers & KS_TOWER_VIDEO ? ks_vision_open(enc, e) : 0;
    if (!err && towers & KS_TOWER_TEXT) err = ks_text_open(enc, e);
    return err;
}

void ks_cpu_close(ks_encoder *enc)
{
    ks_vision_close(&enc->vision);
    ks_text_close(&enc->text);
}

const ks_towers ks_cpu_towers = {"cpu", ks_vision_tokens, ks_vision_clip, ks_text_run};
