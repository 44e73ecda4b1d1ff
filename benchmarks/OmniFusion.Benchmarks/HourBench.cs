using OmniFusion.Media;
using OmniFusion.Models;
using OmniFusion.Simultaneous;

namespace OmniFusion.Benchmarks;

/// <summary>
/// One stream of an hour on one core: sentences with pauses of half a second, in chunks of half a second, through segments and policy. Neither
/// the processor's time for a second of audio nor the resident memory is to grow.
/// </summary>
internal static class HourBench
{
    private const int Chunk = AudioFile.ModelRate / 2, MinutesEach = 5, Hour = 60;

    internal static void Run()
    {
        Console.WriteLine(Machine.Describe());
        OmniFusionModel model = OmniFusionModel.Load(StreamBench.Find("models/nano"), new LoadOptions { Threads = 1 });
        float[] once = [.. Directory.GetFiles(StreamBench.Find("samples/speech"), "*.wav").Order()
            .SelectMany(path => AudioFile.ReadMono16k(path).Concat(new float[Chunk]))];
        SimultaneousOptions options = new()
        {
            TargetLanguage = model.Bundle.Languages[0], Policy = PolicyOptions.Parse("local-agreement:2"), ChunkSeconds = 0.5,
        };
        using SimultaneousTranslator stream = new(model, options);
        float[] chunk = new float[Chunk];
        long at = 0;
        double[] spent = new double[Hour];
        int words = 0;
        Console.WriteLine("minutes      real-time factor   resident");
        for (int minute = 0; minute < Hour; minute++)
        {
            double before = Environment.CpuUsage.TotalTime.TotalSeconds;
            for (int i = 0; i < 120; i++, at += Chunk)
            {
                for (int k = 0; k < Chunk; k++)
                    chunk[k] = once[(at + k) % once.Length];
                words += stream.Push(chunk)
                    .Sum(happened => happened.Committed.Count(letter => letter == ' '));
            }
            spent[minute] = (Environment.CpuUsage.TotalTime.TotalSeconds - before) / 60;
            if ((minute + 1) % MinutesEach == 0)
                Console.WriteLine($"{minute + 2 - MinutesEach,3} to {minute + 1,3}   {spent[(minute + 1 - MinutesEach)..(minute + 1)].Average(),16:F4}"
                    + $"   {Environment.WorkingSet / 1e6,5:F0} MB");
        }
        // The first minute compiles, so the tenth is compared with the second.
        Console.WriteLine($"{words} words; a second of the tenth minute costs {spent[9] / spent[1]:F2} of one of the second, "
            + $"of the last ten minutes {spent[^10..].Average() / spent[1..11].Average():F2} of one of the first ten");
    }
}
