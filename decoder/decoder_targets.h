/* decoder_targets.h - which pictures of a film a survey looks at. No libav in here: the tests drive
 * it. */
#ifndef KS_DECODER_TARGETS_H
#define KS_DECODER_TARGETS_H

typedef struct {
    double at, since; /* seconds: a key frame at or before; what it stands for begins here */
} ks_survey_target;

/* At most so many, ascending -> how many. key[n]: seconds of the film's key frames, ascending; 0:
 * not known. Most encoders set them at a fixed distance, and one early where a shot begins: such
 * a shot has a picture of its own at least, or where there are more shots than pictures the
 * longest have. Without, all lie evenly. < 0: no memory. */
int ks_survey_targets(ks_survey_target *out, int most, const double *key, int n, double length);

#endif
