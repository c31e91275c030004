// The limit a native kernel sets: the same step as assembly/, written for the compiler's widest
// vectors, fused multiply-add and approximate order of sums included. Built on demand by the
// benchmark (cc -O3 -march=native); nothing needs it to install or run.
//
#include <math.h>
#include <node_api.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__AVX512F__)
enum { WIDTH = 16 };
#elif defined(__AVX2__)
enum { WIDTH = 8 };
#else
enum { WIDTH = 4 };
#endif
typedef float Vector __attribute__((vector_size(WIDTH * 4), aligned(4)));
typedef int32_t IntVector __attribute__((vector_size(WIDTH * 4), aligned(4)));

typedef struct {
  int units, inputs, paddedUnits, columns;  // columns: a multiple of 2 * WIDTH
  float *blocks;                            // [unit][column / WIDTH][4][WIDTH]
  float *bias;                              // [unit][4]
  float *peepholes;                         // [4][unit], padded
  double *shiftUs, *frequency, *openRatio;  // padded to 64 with NaN frequencies
  int *open;
  float *openness, *z;
} Layer;

static Vector blend(IntVector mask, Vector yes, Vector no) {
  return (Vector)((mask & (IntVector)yes) | (~mask & (IntVector)no));
}

static Vector exp_vector(Vector x) {
  x = blend(x > 40.0f, (Vector){} + 40.0f, x);
  x = blend(x < -40.0f, (Vector){} - 40.0f, x);
  Vector fn = (x * 1.44269504f + 12582912.0f) - 12582912.0f;
  IntVector n = __builtin_convertvector(fn, IntVector);
  Vector r = fn * 2.12194440e-4f + (fn * -0.693359375f + x);
  Vector p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + (r + 1.0f);
  return p * (Vector)((n + 127) << 23);
}

static int scan(const Layer *layer, double t) {
  int count = 0;
  const double *restrict s = layer->shiftUs, *restrict f = layer->frequency;
  const double *restrict ratio = layer->openRatio;
  for (int base = 0; base < layer->units; base += 64) {
    uint64_t mask = 0;
    uint8_t is_open[64];
    for (int j = 0; j < 64; j++) {
      double u = (t - s[base + j]) * f[base + j];
      is_open[j] = u - floor(u) < ratio[base + j];
    }
    for (int j = 0; j < 64; j += 8) {
      uint64_t eight;
      memcpy(&eight, is_open + j, 8);
      mask |= ((eight * 0x0102040810204080ull) >> 56) << j;
    }
    while (mask) {
      layer->open[count++] = base + __builtin_ctzll(mask);
      mask &= mask - 1;
    }
  }
  for (int i = 0; i < count; i++) {
    int j = layer->open[i];
    double u = (t - s[j]) * f[j];
    double p = (u - floor(u)) * (2.0 / ratio[j]);
    layer->openness[i] = (float)(p < 2.0 - p ? p : 2.0 - p);
  }
  return count;
}

static float sum(Vector v) {
  float total = 0;
  for (int l = 0; l < WIDTH; l++) total += v[l];
  return total;
}

static void dot(const Layer *layer, const float *v, int i) {
  int unit = layer->open[i];
  const float *w = layer->blocks + (size_t)unit * 4 * layer->columns;
  Vector a[4] = {}, b[4] = {};
  for (int k = 0; k < layer->columns; k += 2 * WIDTH, w += 8 * WIDTH) {
    Vector x = *(const Vector *)(v + k), y = *(const Vector *)(v + k + WIDTH);
    for (int g = 0; g < 4; g++) {
      a[g] += *(const Vector *)(w + g * WIDTH) * x;
      b[g] += *(const Vector *)(w + (4 + g) * WIDTH) * y;
    }
  }
  for (int g = 0; g < 4; g++) {
    layer->z[g * (layer->units + WIDTH) + i] = sum(a[g] + b[g]) + layer->bias[unit * 4 + g];
  }
}

static Vector gather(const float *source, const int *units) {
  Vector out;
  for (int l = 0; l < WIDTH; l++) out[l] = source[units[l]];
  return out;
}

static void activate(const Layer *layer, float *c, float *h, int count) {
  int row = layer->units + WIDTH, *units = layer->open;
  for (int l = 0; l < WIDTH; l++) units[count + l] = units[count - 1];
  for (int i = 0; i < count; i += WIDTH) {
    Vector old_c = gather(c, units + i), old_h = gather(h, units + i);
    Vector z[4], k = *(Vector *)(layer->openness + i);
    for (int g = 0; g < 4; g++) z[g] = *(Vector *)(layer->z + g * row + i);
    Vector ei = exp_vector(-(z[0] + gather(layer->peepholes, units + i) * old_c));
    Vector ef = exp_vector(-(z[1] + gather(layer->peepholes + layer->units, units + i) * old_c));
    Vector eg = exp_vector(-2.0f * z[2]);
    Vector next = old_c / (1.0f + ef) + (1.0f - eg) / ((1.0f + ei) * (1.0f + eg));
    Vector eo = exp_vector(-(z[3] + gather(layer->peepholes + 2 * layer->units, units + i) * next));
    Vector ec = exp_vector(-2.0f * next);
    Vector out = (1.0f - ec) / ((1.0f + eo) * (1.0f + ec));
    next = k * next + (1.0f - k) * old_c;
    out = k * out + (1.0f - k) * old_h;
    for (int l = 0; l < WIDTH && i + l < count; l++) {
      c[units[i + l]] = next[l];
      h[units[i + l]] = out[l];
    }
  }
}

static int run_events(const Layer *layer, float *v, float *c, const double *times, const float *x, int count) {
  int total = 0;
  for (int n = 0; n < count; n++, x += layer->inputs) {
    memcpy(v + layer->paddedUnits, x, sizeof(float) * (size_t)layer->inputs);
    int open = scan(layer, times[n]);
    if (open == 0) continue;
    for (int i = 0; i < open; i++) dot(layer, v, i);
    activate(layer, c, v, open);
    total += open;
  }
  return total;
}

static float *padded_floats(size_t count) {
  void *memory = aligned_alloc(64, (count * sizeof(float) + 127) / 64 * 64);
  memset(memory, 0, (count * sizeof(float) + 127) / 64 * 64);
  return memory;
}

static void *array(napi_env env, napi_value value) {
  void *data;
  napi_get_typedarray_info(env, value, NULL, NULL, &data, NULL, NULL);
  return data;
}

static int integer(napi_env env, napi_value value) {
  int32_t number;
  napi_get_value_int32(env, value, &number);
  return number;
}

// createLayer(inputs, units, inputWeights, recurrentWeights, bias, peepholes, shiftUs, periodUs, openRatio)
static napi_value create_layer(napi_env env, napi_callback_info info) {
  size_t argc = 9;
  napi_value argv[9];
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  Layer *layer = calloc(1, sizeof *layer);
  int inputs = layer->inputs = integer(env, argv[0]), units = layer->units = integer(env, argv[1]);
  const float *w = array(env, argv[2]), *u = array(env, argv[3]), *bias = array(env, argv[4]);
  layer->paddedUnits = (units + WIDTH - 1) / WIDTH * WIDTH;
  layer->columns = (layer->paddedUnits + inputs + 2 * WIDTH - 1) / (2 * WIDTH) * (2 * WIDTH);
  int rows = (units + 63) / 64 * 64;
  layer->blocks = padded_floats((size_t)units * 4 * layer->columns);
  layer->bias = padded_floats(4 * units);
  layer->peepholes = padded_floats(3 * units);
  memcpy(layer->peepholes, array(env, argv[5]), sizeof(float) * 3 * (size_t)units);
  layer->shiftUs = (double *)padded_floats(2 * rows);
  layer->frequency = (double *)padded_floats(2 * rows);
  layer->open = (int *)padded_floats(rows + WIDTH);
  layer->openness = padded_floats(rows + WIDTH);
  layer->z = padded_floats(4 * (units + WIDTH));
  layer->openRatio = (double *)padded_floats(2 * rows);
  const double *shift = array(env, argv[6]), *period = array(env, argv[7]), *ratio = array(env, argv[8]);
  for (int j = 0; j < rows; j++) {
    layer->shiftUs[j] = j < units ? shift[j] : 0;
    layer->frequency[j] = j < units ? 1 / period[j] : NAN;
    layer->openRatio[j] = j < units ? ratio[j] : 0;
  }
  for (int j = 0; j < units; j++) {
    for (int g = 0; g < 4; g++) {
      float *row = layer->blocks + (size_t)j * 4 * layer->columns + g * WIDTH;
      layer->bias[j * 4 + g] = bias[g * units + j];
      for (int k = 0; k < units + inputs; k++) {
        int column = k < units ? k : layer->paddedUnits + k - units;
        const float *source = k < units ? u + (size_t)k * 4 * units : w + (size_t)(k - units) * 4 * units;
        row[column / WIDTH * 4 * WIDTH + column % WIDTH] = source[g * units + j];
      }
    }
  }
  napi_value out;
  napi_create_external(env, layer, NULL, NULL, &out);
  return out;
}

// run(layer, h [units], c [units], timesUs, inputs, count) -> open units; h and c are in and out.
static napi_value run(napi_env env, napi_callback_info info) {
  static float v[8192];
  size_t argc = 6;
  napi_value argv[6], out;
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  Layer *layer;
  napi_get_value_external(env, argv[0], (void **)&layer);
  float *h = array(env, argv[1]), *c = array(env, argv[2]);
  memset(v, 0, sizeof v);
  memcpy(v, h, sizeof(float) * (size_t)layer->units);
  int open = run_events(layer, v, c, array(env, argv[3]), array(env, argv[4]), integer(env, argv[5]));
  memcpy(h, v, sizeof(float) * (size_t)layer->units);
  napi_create_int32(env, open, &out);
  return out;
}

NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, NULL, 0, create_layer, NULL, &function);
  napi_set_named_property(env, exports, "createLayer", function);
  napi_create_function(env, NULL, 0, run, NULL, &function);
  napi_set_named_property(env, exports, "run", function);
  return exports;
}
