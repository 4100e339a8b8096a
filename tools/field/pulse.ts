/** Complaints of the light of a finger: lines 1, 2, 6, 7. */
import type { Complaint } from "./complaint.ts";

const test = { file: "test/field/light.test.ts" };

export const pulse: readonly Complaint[] = [
  {
    line: 1,
    title: "red and infrared swapped on clone boards",
    seen: "SpO2 far too low or absent, while the pulse rate is right",
    where: ["aromring/MAX30102_by_RF#13", "sparkfun/SparkFun_MAX3010x_Sensor_Library#25"],
    symptoms: ["A wrong SpO2", "No value"],
    see: "SpO2 of a healthy finger is far too low (70 or 80 %), or stays absent while the pulse rate is right.",
    why:
      "Some boards sold as MAX30102 have the two LEDs the other way round. Every SpO2 is a comparison of the two lights, so it " +
      "comes out upside down: the better the blood, the lower the number.",
    act:
      "Put the line that the board names into the chip's configuration. If it says `swapLeds: false`, the line stands there and " +
      "should not. Nothing needs to be rewired.",
    says: ["MAX30102: red and infrared are swapped; set swapLeds: true"],
    naive: "71 % for a finger of 97 %, with no word of warning.",
    ours: "no SpO2 from the swapped light on, one fault with the line that mends it, and 97 % once that line is there.",
    test,
    missing:
      "Swapped LEDs are found from a true SpO2 of 94 % up. Below that no fault is told, and what is shown is wrong: 90 % reads " +
      "as 63 %, 85 % as 74 %, and 75 % as 84 %. Try a new board on a healthy finger first.",
  },
  {
    line: 2,
    title: "-999 or absurd SpO2",
    seen: "SpO2 is -999, absent, or jumps",
    where: ["sparkfun#34", "DFRobot_MAX30102#1"],
    symptoms: ["No value", "A wrong SpO2"],
    see: "SpO2 is -999, or a number that no living person has, or jumps by ten percent from second to second.",
    why:
      "SpO2 needs a clean pulse in both lights. Without one the formula still gives a number; and -999 is a program's way to " +
      "say that it found none. Stored beside real values, it ends up in a mean.",
    act:
      "Read the reason beside the `--`. `no finger` (elsewhere than on a finger `sensor off`): put it on; if it is on, the light is too weak: " +
      "clean the window of the sensor, or raise the LED current. `saturated`: lower it, and keep lamps away " +
      "(`--automatic-led-current`, in firmware `automaticLedCurrent`, does both by itself). `motion`: hold still. `low perfusion`: warm the hand, press less. `settling`: wait ten seconds.",
    says: [
      "PI --*  SpO2 --*",
      "no finger red infrared PI SpO2 PR",
      "saturated red infrared PI SpO2 PR",
      "motion red infrared PI SpO2 PR",
    ],
    naive: "-999 of a signal that stands still, 71 to 81 % of noise and 81 to 90 % of no finger at all.",
    ours: "`--` on the screen, null in the record, and at least one reason with every null.",
    test,
  },
  {
    line: 6,
    title: "values with no finger, off the wrist",
    seen: "a pulse rate or an SpO2 of an empty sensor",
    where: ["oxullo/Arduino-MAX30100#92", "InfiniTime#877"],
    symptoms: ["A value without a finger or an electrode"],
    see: "A pulse rate, often a high one, or an SpO2 while nobody wears the sensor.",
    why:
      "The converter still has noise, and a program that looks for peaks finds some in it. The light that comes back without a " +
      "finger is a hundred times less, but nobody looked.",
    act:
      "With this project nothing: the values end with the finger and come back about five seconds after it. " +
      "If `no finger` shows with a finger on, see [line 2](#2--999-or-absurd-spo2).",
    says: [
      "contact: no finger",
      "no finger red infrared PI SpO2 PR",
      "contact: finger there, settling",
      "contact: finger there, good",
    ],
    naive: "pulse rates of 130 to 2000 and an SpO2 of 81 to 90 % of an empty sensor.",
    ours: "values end within the second in which the finger goes; an event (contact) says so, and another one when it is back.",
    test,
  },
  {
    line: 7,
    title: "motion",
    seen: "the pulse rate follows the movement, or is absent while the hand moves",
    where: ["aromring#26", "InfiniTime#532"],
    symptoms: ["A wrong pulse or heart rate", "No value"],
    see: "While the hand moves, the pulse rate follows the steps or the shaking, or there is none.",
    why:
      "Movement changes the light more than the pulse does, and often as regularly. What red and infrared share of it also " +
      "pulls every SpO2 towards the same wrong number.",
    act:
      "Hold still for ten seconds; fix the cable to the finger so that it does not pull. Values marked `motion` are not to be " +
      "relied on; a missing one is meant to be missing.",
    says: ["motion red infrared PI SpO2 PR"],
    naive: "rates between 20 and 250 for a pulse of 61, as if nothing were the matter.",
    ours: "the last seconds' value with the mark `motion`, then none until the hand is still.",
    test,
  },
];
