using System.Globalization;
using System.Net;
using System.Text;

namespace OmniFusion.Training.Data;

/// <summary>Speaks an utterance; one object serves one thread.</summary>
internal interface IUtteranceSpeaker : IDisposable
{
    /// <summary>16 kHz samples of the text spoken as the utterance says.</summary>
    /// <exception cref="OmniFusionException">The engine gave no speech.</exception>
    short[] Speak(Utterance utterance, string text);
}

/// <summary>
/// Speaks sentences with espeak-ng, flite, festival, pico and RHVoice, those of which must be installed whose voices are wanted.
/// A process is started for each sentence; but festival, which starts slowly, is kept and fed.
/// The speech is clean and as loud as the engine makes it: gains and noise belong to training, where they can differ in each epoch.
/// One object serves one thread.
/// </summary>
public sealed class SpeechSynthesizer : IUtteranceSpeaker
{
    private const string RHVoiceProgram = "RHVoice-test";

    // Far more than the longest sentence needs on a busy machine.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _directory = Directory.CreateTempSubdirectory("omnifusion-speech-").FullName;
    private FestivalProcess? _festival;

    /// <summary>Checks that the engines of the voices are installed and have them.</summary>
    /// <exception cref="OmniFusionException">A program or a voice is missing; the sentence names it.</exception>
    public static void RequireInstalled(IEnumerable<Voice> voices)
    {
        Voice[] wanted = [.. voices];
        string[] programs = [.. wanted.Select(voice => Program(voice.Engine)).Distinct().Where(program => !IsOnPath(program))];
        if (programs.Length > 0)
            throw new OmniFusionException($"Synthesising needs {string.Join(" and ", programs)}, not found on the PATH; {HowToInstall(programs)}.");

        using SpeechSynthesizer synthesizer = new();
        // flite speaks with another voice, and says nothing, when it lacks the one asked for; so ask it what it has.
        string[] flite = wanted.Any(voice => voice.Engine == SpeechEngine.Flite) ? synthesizer.ListFliteVoices() : [];
        string[] alike = wanted.Any(voice => voice.Engine == SpeechEngine.RHVoice) ? synthesizer.ListRHVoicesAlike() : [];
        foreach (Voice voice in wanted)
        {
            if (voice.Engine == SpeechEngine.RHVoice && alike.Contains(voice.Name))
                throw new OmniFusionException($"The RHVoice on this machine speaks alike with {string.Join(", ", alike)}: it lacks all or all but one of these voices.");
            if (voice.Engine == SpeechEngine.Flite && !flite.Contains(voice.Name))
                throw new OmniFusionException($"The flite on this machine has no voice {voice.Name}; it has {string.Join(", ", flite)}.");
            if (voice.Engine == SpeechEngine.Festival)
            {
                try
                {
                    synthesizer.Speak(Utterance.Draw(0, 0, 0, [voice]), "Hello.");
                }
                catch (OmniFusionException error)
                {
                    throw new OmniFusionException($"The festival on this machine cannot speak with {voice.Name}: {error.Message}", error);
                }
            }
        }
    }

    /// <summary>Speaks a text.</summary>
    /// <param name="utterance">Voice, rate, pitch and the silence around the speech.</param>
    /// <param name="text">A line of text; HTML entities are read as what they stand for.</param>
    /// <returns>16 kHz mono samples.</returns>
    /// <exception cref="OmniFusionException">The text has nothing to say, or the engine failed.</exception>
    public short[] Speak(Utterance utterance, string text)
    {
        string spoken = WebUtility.HtmlDecode(text).Trim();
        if (spoken.Length == 0)
            throw new OmniFusionException("The line is empty.");
        byte[] wave = utterance.Voice.Engine switch
        {
            SpeechEngine.Espeak => RunEspeak(utterance, spoken),
            SpeechEngine.Flite => RunFlite(utterance, ToAscii(spoken)),
            SpeechEngine.Pico => RunPico(utterance, Plain(ToAscii(spoken))),
            SpeechEngine.RHVoice => RunRHVoice(utterance, spoken),
            _ => RunFestival(utterance, ToAscii(spoken)),
        };
        (short[] samples, int sampleRate) = RecordedSpeech.ReadWave(wave);
        short[] trimmed = RecordedSpeech.Trim(RecordedSpeech.Resample(samples, sampleRate), utterance.LeadIn, utterance.LeadOut);
        return trimmed.Length > 0 ? trimmed : throw new OmniFusionException($"{utterance.Voice.Id} made no sound.");
    }

    /// <summary>Ends festival and removes the temporary files.</summary>
    public void Dispose()
    {
        _festival?.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private byte[] RunEspeak(Utterance utterance, string text) => Run(
        "espeak-ng",
        ["-v", utterance.Voice.Name, "-s", Number(Math.Round(utterance.Rate)), "-p", Number(utterance.Pitch), "--stdin", "--stdout"],
        text);

    private byte[] RunFlite(Utterance utterance, string text) => RunToFile(
        "flite",
        file =>
        [
            "-voice", utterance.Voice.Name, "--setf", $"duration_stretch={Number(utterance.Rate)}",
            "--setf", $"int_f0_target_mean={Number(utterance.Pitch)}", "-t", text, "-o", file,
        ]);

    private byte[] RunFestival(Utterance utterance, string text)
    {
        string file = Path.Combine(_directory, "festival.wav");
        File.Delete(file);
        _festival ??= new FestivalProcess();
        try
        {
            _festival.Speak(utterance.Voice.Name, Number(utterance.Rate), Number(utterance.Pitch), text, file, Patience);
            return ReadWritten(file, "festival");
        }
        catch (OmniFusionException)
        {
            // A process that failed once may be in any state: the next sentence gets a new one.
            _festival.Dispose();
            _festival = null;
            throw;
        }
    }

    // Rate and pitch are marks in the text. Nothing escapes what looks like a mark, and quotation marks and ampersands are read out by their names.
    private byte[] RunPico(Utterance utterance, string text) => RunToFile(
        "pico2wave",
        file =>
        [
            "-l", utterance.Voice.Name, "-w", file,
            $"<speed level=\"{Number(Math.Round(utterance.Rate))}\"><pitch level=\"{Number(utterance.Pitch)}\">{text}</pitch></speed>",
        ]);

    private byte[] RunRHVoice(Utterance utterance, string text) => RunToFile(
        RHVoiceProgram,
        file => ["-p", utterance.Voice.Name, "-r", Number(Math.Round(utterance.Rate)), "-t", Number(utterance.Pitch), "-o", file],
        text);

    // RHVoice speaks with its default voice, and says nothing, when it lacks the one asked for, and lists none:
    // those that sound like a name that nobody has are the default and the missing ones.
    private string[] ListRHVoicesAlike()
    {
        short[] SpeakAs(Voice voice) => Speak(new Utterance(0, 0, voice, 100, 100, 0, 0), "Hello.");
        Voice[] known = [.. Voice.Further.Where(voice => voice.Engine == SpeechEngine.RHVoice)];
        short[] nobody = SpeakAs(known[0] with { Name = "nobody" });
        string[] alike = [.. known.Where(voice => SpeakAs(voice).SequenceEqual(nobody)).Select(voice => voice.Name)];
        return alike.Length > 1 ? alike : [];
    }

    private string[] ListFliteVoices() =>
        Encoding.ASCII.GetString(Run("flite", ["-lv"], "")).Split([' ', '\n', ':'], StringSplitOptions.RemoveEmptyEntries);

    private byte[] RunToFile(string program, Func<string, string[]> arguments, string input = "")
    {
        string file = Path.Combine(_directory, program + ".wav");
        File.Delete(file);
        Run(program, arguments(file), input);
        return ReadWritten(file, program);
    }

    private static byte[] ReadWritten(string file, string program) =>
        File.Exists(file) ? File.ReadAllBytes(file) : throw new OmniFusionException($"{program} wrote no audio.");

    private static byte[] Run(string program, string[] arguments, string input)
    {
        using CancellationTokenSource limit = new(Patience);
        try
        {
            using ChildProcess engine = new(program, arguments, $"Cannot start {program}.", limit.Token);
            Task feeding = engine.FeedAsync(stream => stream.Write(Encoding.UTF8.GetBytes(input)));
            using MemoryStream output = new();
            engine.Output.BaseStream.CopyTo(output);
            int code = engine.Wait();
            feeding.GetAwaiter().GetResult();
            return code == 0 ? output.ToArray()
                : throw new OmniFusionException($"{program} failed with exit code {code}{(engine.Complaint is { Length: > 0 } said ? ": " + said : "")}.");
        }
        catch (OperationCanceledException error)
        {
            throw new OmniFusionException($"{program} did not finish in {Patience.TotalSeconds} s.", error);
        }
    }

    private static string Program(SpeechEngine engine) => engine switch
    {
        SpeechEngine.Espeak => "espeak-ng",
        SpeechEngine.Flite => "flite",
        SpeechEngine.Pico => "pico2wave",
        SpeechEngine.RHVoice => RHVoiceProgram,
        _ => "festival",
    };

    private static string HowToInstall(string[] programs)
    {
        string[] packages = [.. programs.Where(program => program != RHVoiceProgram).Select(program => program == "pico2wave" ? "libttspico-utils" : program)];
        return string.Join("; ", ((string?[])
        [
            packages.Length > 0 ? $"on Debian or Ubuntu: apt-get install {string.Join(' ', packages)}" : null,
            programs.Contains(RHVoiceProgram) ? "RHVoice is built from https://github.com/RHVoice/RHVoice" : null,
        ]).OfType<string>());
    }

    private static bool IsOnPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Any(folder => File.Exists(Path.Combine(folder, program)) || File.Exists(Path.Combine(folder, program + ".exe")));

    private static string Number(double value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Plain(string ascii) => ascii.Replace("&", " and ").Replace('"', ' ').Replace('<', ' ').Replace('>', ' ').Replace('\\', ' ');

    // flite, festival and pico know ASCII only: accents are dropped, typographic quotes and dashes become plain ones.
    private static string ToAscii(string text)
    {
        StringBuilder ascii = new(text.Length);
        foreach (char c in text.Normalize(NormalizationForm.FormD))
        {
            ascii.Append(c switch
            {
                '\u2018' or '\u2019' => "'",
                '\u201C' or '\u201D' => "\"",
                '\u2013' or '\u2014' => "-",
                >= '\u0300' and <= '\u036F' => "",
                < ' ' or > '~' => " ",
                _ => c.ToString(),
            });
        }

        return ascii.ToString();
    }
}
