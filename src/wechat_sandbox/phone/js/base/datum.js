/* From the datum of Chinese maps (GCJ-02) to that of satellites (WGS-84), as pages may ask for
 * either. */

// Krasovsky 1940, the ellipsoid that GCJ-02 is computed on.
const SEMI_MAJOR_M = 6378245;
const ECCENTRICITY_SQUARED = 0.00669342162296594323;
const { PI, abs, cos, sin, sqrt } = Math;
const wave = (x, period, height) => height * sin(x * period * PI);

function northShift(x, y) {
  return (
    -100 +
    2 * x +
    3 * y +
    0.2 * y * y +
    0.1 * x * y +
    0.2 * sqrt(abs(x)) +
    ((wave(x, 6, 20) +
      wave(x, 2, 20) +
      wave(y, 1, 20) +
      wave(y, 1 / 3, 40) +
      wave(y, 1 / 12, 160) +
      wave(y, 1 / 30, 320)) *
      2) /
      3
  );
}

function eastShift(x, y) {
  return (
    300 +
    x +
    2 * y +
    0.1 * x * x +
    0.1 * x * y +
    0.1 * sqrt(abs(x)) +
    ((wave(x, 6, 20) +
      wave(x, 2, 20) +
      wave(x, 1, 20) +
      wave(x, 1 / 3, 40) +
      wave(x, 1 / 12, 150) +
      wave(x, 1 / 30, 300)) *
      2) /
      3
  );
}

/** The WGS-84 point of a GCJ-02 point in mainland China, right to a few metres. */
export function wgs84Of({ lat, lng }) {
  const radians = (lat * PI) / 180;
  const bend = 1 - ECCENTRICITY_SQUARED * sin(radians) ** 2;
  const radiansPerDegree = PI / 180;
  const meridian = (SEMI_MAJOR_M * (1 - ECCENTRICITY_SQUARED)) / bend ** 1.5;
  const parallel = (SEMI_MAJOR_M / sqrt(bend)) * cos(radians);
  return {
    lat: lat - northShift(lng - 105, lat - 35) / (meridian * radiansPerDegree),
    lng: lng - eastShift(lng - 105, lat - 35) / (parallel * radiansPerDegree),
  };
}
