/* cost.c - counted work. Multiply and add are two; what is small beside them is left out. */
#include "encoder/encoder.h"

/* One block over `rows` rows in sequences of `length`: four projections, scores and sums,
 * feed-forward. */
static double block(double rows, double length, double D, double F)
{
    return rows * (8 * D * D + 4 * length * D + 4 * D * F);
}

double ks_clip_gflop(const ks_info *i, int T, int side)
{
    double grid = side / i->patch, N = grid * grid, rows = T * N, D = i->dim, F = i->mlp, flop;
    flop = rows * 2 * 3 * i->patch * i->patch * D;
    flop += i->spatial * block(rows, N, D, F) + i->temporal * block(rows, T, D, F) +
            i->auxiliary * block(rows, rows, D, F);
    if (i->kind == KS_LVT) /* by its keys and values, as the reference computes it */
        flop += rows * 2 * 2 * D * 4 * D;
    return flop * 1e-9;
}
