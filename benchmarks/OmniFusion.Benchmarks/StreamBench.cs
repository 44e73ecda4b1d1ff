using System.Diagnostics;
using OmniFusion.Media;
using OmniFusion.Models;
using OmniFusion.Simultaneous;

namespace OmniFusion.Benchmarks;

/// <summary>
/// Simultaneous translation of recordings by the shipped model on one core, in chunks of half a second: the seconds of computing for a
/// second of audio and where they go. Two tokens of each hypothesis are kept a chunk, as a policy would keep them. With <c>processor</c>
/// the real-time factor and the slowest step are of the time that this process was given; the shares are always of the clock.
/// </summary>
internal static class StreamBench
{
    private const int Chunk = AudioFile.ModelRate / 2, KeptAStep = 2, Most = 32, Repeats = 5, WarmUp = 3;

    internal static void Run(string[] args)
    {
        bool processor = args.Contains("processor");
        Console.WriteLine(Machine.Describe());
        OmniFusionModel model = OmniFusionModel.Load(Find("models/nano"), new LoadOptions { Threads = 1 });
        float[][] recordings = [.. Directory.GetFiles(Find("samples/speech"), "*.wav").Order().Select(path => AudioFile.ReadMono16k(path))];
        // Sentences as they are, and what a session cuts at the latest.
        float[] once = [.. recordings.SelectMany(samples => samples)];
        float[] talk = [.. Enumerable.Range(0, 30 * AudioFile.ModelRate).Select(i => once[i % once.Length])];
        Measure("sentences, fused", recordings, () => FusedSpeechDecoder.Create(model, model.Bundle.Languages[0]));
        Measure("30 s, fused", [talk], () => FusedSpeechDecoder.Create(model, model.Bundle.Languages[0]));
        Measure("sentences, recogniser", recordings, () => SpeechRecognizerDecoder.Create(model));

        void Measure(string name, float[][] sounds, Func<SpeechDecoder> create)
        {
            List<(double Factor, StepSeconds Spent, double Slowest)> runs = [];
            double audio = sounds.Sum(samples => samples.Length) / (double)AudioFile.ModelRate;
            for (int i = -WarmUp; i < Repeats; i++)
            {
                StepSeconds spent = default;
                double slowest = 0, before = Seconds(processor);
                foreach (float[] samples in sounds)
                {
                    using SpeechDecoder decoder = create();
                    slowest = Math.Max(slowest, Translate(decoder, samples, processor));
                    StepSeconds own = decoder.Spent;
                    spent = new(spent.Audio + own.Audio, spent.Thinker + own.Thinker, spent.Read + own.Read, spent.Write + own.Write);
                }
                if (i >= 0)
                    runs.Add(((Seconds(processor) - before) / audio, spent, slowest));
            }
            (double factor, StepSeconds median, double worst) = runs.OrderBy(run => run.Factor).ElementAt(Repeats / 2);
            Console.WriteLine(
                $"{name}: real-time factor {factor:F3}; of each second of audio in ms: audio tower {1e3 * median.Audio / audio:F1}, "
                + $"thinker and fusion {1e3 * median.Thinker / audio:F1}, reading {1e3 * median.Read / audio:F1}, writing {1e3 * median.Write / audio:F1}; "
                + $"slowest step {1e3 * worst:F0} ms");
        }
    }

    // Returns the seconds of the slowest step.
    private static double Translate(SpeechDecoder decoder, float[] samples, bool processor)
    {
        int[] kept = [];
        double slowest = 0;
        for (int at = 0; at < samples.Length; at += Chunk)
        {
            double before = Seconds(processor);
            decoder.Append(samples.AsSpan(at, Math.Min(Chunk, samples.Length - at)));
            if (at + Chunk >= samples.Length)
                decoder.Complete();
            int[] tokens = decoder.Write(kept, Most).Tokens;
            kept = tokens[..Math.Min(tokens.Length, kept.Length + KeptAStep)];
            slowest = Math.Max(slowest, Seconds(processor) - before);
        }
        return slowest;
    }

    private static double Seconds(bool processor) =>
        processor ? Environment.CpuUsage.TotalTime.TotalSeconds : Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency;

    internal static string Find(string path)
    {
        for (DirectoryInfo? folder = new(Environment.CurrentDirectory); folder is not null; folder = folder.Parent)
            if (Directory.Exists(Path.Combine(folder.FullName, path)))
                return Path.Combine(folder.FullName, path);
        throw new DirectoryNotFoundException($"{path} is in no folder above the present one");
    }
}
